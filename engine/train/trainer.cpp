#include "engine/train/trainer.h"

#include <chrono>
#include <cmath>

#include "engine/ops/reduce/op.h"

namespace umbra {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Calls visit(batch, prediction) for every batch of one pass in evaluation mode.
template <class Visit>
void evaluate_batches(Context& context, const Task& task, const Loader& data, const Visit& visit) {
  for (std::int64_t i = 0; i < data.batches_per_epoch(); ++i) {
    const Batch batch = data.load(context, i);
    Pass pass{context};
    const Var prediction = task.predict(pass, constant(batch.input));
    visit(pass, batch, prediction);
  }
}

}  // namespace

Trainer::Trainer(Context& context, Module& network, Optimizer& optimizer, Task task, TrainerOptions options)
    : context_(context),
      network_(network),
      optimizer_(optimizer),
      task_(std::move(task)),
      options_(std::move(options)) {}

Report Trainer::train_step(const Loader& training, std::int64_t step) {
  const auto start = std::chrono::steady_clock::now();
  const Batch batch = training.load(context_, step);
  Tape tape(context_);
  Pass pass{context_, &tape, true, Rng(options_.seed, Purpose::kDropout), static_cast<std::uint64_t>(step)};

  const Var prediction = task_.predict(pass, constant(batch.input));
  const Var loss = task_.loss(pass, prediction, batch.target);
  tape.backward(loss);

  Report report;
  report.epoch = step / training.batches_per_epoch();
  report.step = step + 1;
  report.samples = static_cast<std::int64_t>(batch.samples.size());
  report.learning_rate = options_.learning_rate(step);
  report.loss = to_host(loss->value, context_.stream)[0];
  report.metric =
      task_.metric(to_host(prediction->value, context_.stream), to_host(batch.target, context_.stream)) /
      static_cast<double>(report.samples);
  report.gradient_norm = clip_gradients(context_, network_.parameters(), options_.clip);
  const bool finite = std::isfinite(report.loss) && std::isfinite(report.gradient_norm);
  if (options_.nan_guard && !finite && !explaining_) explain_nonfinite(training, step, report);

  optimizer_.step(context_, report.learning_rate);
  report.seconds = seconds_since(start);
  return report;
}

// Repeats the step with every output of every op examined. The optimiser has not moved yet, so that it is the
// same step; the network is not used afterwards.
void Trainer::explain_nonfinite(const Loader& training, std::int64_t step, const Report& report) {
  std::string culprit;
  const std::vector<Parameter> parameters = network_.parameters();
  Context examiner(context_.registry, context_.device());
  const auto examine = [&](const Op& op, const Kernel& kernel, std::span<const Tensor> tensors, double) {
    const std::vector<BufferSpec> specs = op.buffers();
    std::string bad, read;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const bool real = specs[i].dtype == DType::kF32 || specs[i].dtype == DType::kF64;
      if (!culprit.empty() || specs[i].count == 0) continue;
      if (specs[i].access != Access::kIn && real) {
        const Tensor count = examiner.temporary({1}, DType::kI64);
        call(examiner, CountNonfinite(specs[i].dtype, specs[i].count), {tensors[i], count});
        const double found = to_host(count, examiner.stream)[0];
        if (found > 0 && bad.empty())
          bad = concat(found, " of ", specs[i].count, " elements of ", specs[i].name);
      }
      for (const Parameter& p : parameters) {
        const bool same = p.value().data() == tensors[i].data();
        if (same) read += concat(read.empty() ? ", reading parameter " : ", ", p.name);
      }
    }
    if (!bad.empty()) culprit = concat(op.name(), " (", op.text(), ", rung ", kernel.rung, "): ", bad, read);
  };
  for (const Parameter& p : parameters) p.grad() = {};
  context_.observer = examine;
  explaining_ = true;
  train_step(training, step);
  fail("training stopped at step ", step, " of epoch ", report.epoch, ": the loss is ", report.loss,
       " and the gradient norm ", report.gradient_norm, " (learning rate ", report.learning_rate,
       "). The first op with a result that is not finite is ", culprit.empty() ? "not reproducible" : culprit,
       ". The last checkpoint is untouched; a lower learning rate or train.clip may help");
}

std::int64_t Trainer::run(const Loader& training, const Loader* validation, std::int64_t step,
                          const std::vector<Observer*>& observers) {
  const std::int64_t per_epoch = training.batches_per_epoch();
  while (step < options_.epochs * per_epoch) {
    const Report report = train_step(training, step++);
    const bool epoch_end = step % per_epoch == 0;
    for (Observer* observer : observers) observer->on_step(report);
    if (epoch_end && validation != nullptr) {
      Report result = validate(context_, task_, *validation);
      result.epoch = report.epoch;
      result.step = step;
      result.learning_rate = report.learning_rate;
      require(!options_.nan_guard || (std::isfinite(result.metric) && std::isfinite(result.loss)),
              "validation after step ", step, ": the loss is ", result.loss, " and the metric ",
              result.metric,
              ", though training is finite: the running statistics of a batch norm must have run away; a "
              "lower learning rate may help");
      for (Observer* observer : observers) observer->on_validation(result);
    }
    bool stop = false;
    for (Observer* observer : observers) {
      observer->on_step_done(report, epoch_end);
      stop = stop || observer->wants_stop();
    }
    if (stop) break;
  }
  return step;
}

Report validate(Context& context, const Task& task, const Loader& data) {
  const auto start = std::chrono::steady_clock::now();
  Report report;
  evaluate_batches(context, task, data, [&](Pass& pass, const Batch& batch, const Var& prediction) {
    const auto count = static_cast<double>(batch.samples.size());
    report.loss += to_host(task.loss(pass, prediction, batch.target)->value, context.stream)[0] * count;
    report.metric +=
        task.metric(to_host(prediction->value, context.stream), to_host(batch.target, context.stream));
    report.samples += static_cast<std::int64_t>(batch.samples.size());
  });
  report.loss /= static_cast<double>(report.samples);
  report.metric /= static_cast<double>(report.samples);
  report.seconds = seconds_since(start);
  return report;
}

std::vector<double> predict_all(Context& context, const Task& task, const Loader& data) {
  std::vector<double> all;
  evaluate_batches(context, task, data, [&](Pass&, const Batch&, const Var& prediction) {
    const std::vector<double> values = to_host(prediction->value, context.stream);
    all.insert(all.end(), values.begin(), values.end());
  });
  return all;
}

}  // namespace umbra
