#include "engine/train/train_step.h"

#include <chrono>
#include <cmath>

#include "engine/ops/reduce/op.h"

namespace umbra {
namespace {

double seconds_between_times(std::chrono::steady_clock::time_point from,
                             std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

Tensor pinned_like(const Tensor& tensor) {
  return {allocate_pinned(tensor.device(), tensor.bytes()), 0, tensor.shape(), tensor.dtype()};
}

// The numbers of a tensor on the host.
std::vector<double> doubles_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::kI32) {
    const auto labels = tensor.values<std::int32_t>();
    return {labels.begin(), labels.end()};
  }
  const auto numbers = tensor.values<float>();
  return {numbers.begin(), numbers.end()};
}

// The tensors of a call, copied to the host one by one.
class Copied final : public HostBuffers {
 public:
  Copied(std::span<const Tensor> tensors, Stream& stream) : tensors_(tensors), stream_(stream) {}
  std::vector<double> numbers(std::size_t buffer) const override {
    return to_host(tensors_[buffer], stream_);
  }

 private:
  std::span<const Tensor> tensors_;
  Stream& stream_;
};

}  // namespace

Tensor Objective::reported(Context& context, const Var& prediction) const {
  if (!report) return prediction->value;
  Pass pass{context};
  return report(pass, prediction)->value;
}

TrainStep::TrainStep(Context& context, Module& network, Optimizer& optimizer, const Objective& objective,
                     const TrainerOptions& options, const Loader& training)
    : context_(context),
      network_(network),
      optimizer_(optimizer),
      objective_(objective),
      options_(options),
      training_(training) {
  const Device device = context.device();
  number_ = allocate_tensor(device, {1}, DType::kI64);
  for (auto& slot : slots_) {
    slot = std::make_unique<Slot>(device);
    slot->number = pinned_like(number_);
  }
}

bool TrainStep::pipelined() const {
  return graph_ != nullptr;
}

// Queues the copies of the inputs of this step: the samples, its number and the scalars of the optimiser.
void TrainStep::stage(std::int64_t step) {
  if (batches_ == nullptr || batches_->batch_size() != training_.batch_size(step)) {
    context_.stream.synchronize();  // before the memory of the previous batches is freed
    batches_ = std::make_unique<StagedBatches>(context_, training_, step);
    graph_.reset();
    warm_ = false;
  }
  Slot& s = slot(step);
  s.launched = std::chrono::steady_clock::now();
  s.learning_rate = options_.learning_rate(step);
  batches_->stage(context_, step);
  s.target = batches_->host_target(step);
  s.given.wait();
  s.number.values<std::int64_t>()[0] = step;
  const std::vector<double> scalars = optimizer_.advance(s.learning_rate);
  if (!scalars_.defined())
    scalars_ = allocate_tensor(context_.device(), {static_cast<std::int64_t>(scalars.size())}, DType::kF64);
  if (!s.scalars.defined()) s.scalars = pinned_like(scalars_);
  std::copy(scalars.begin(), scalars.end(), s.scalars.values<double>().begin());
  copy(s.number, number_, context_.stream);
  copy(s.scalars, scalars_, context_.stream);
  s.given.record(context_.stream);
}

TrainStep::Outputs TrainStep::compute() {
  const Batch batch = batches_->gather(context_);
  Tape tape(context_);
  Pass pass{context_, &tape, true, Rng(options_.seed, Purpose::kDropout), number_};
  const Var prediction = objective_.predict(pass, constant(batch.input));
  const Var loss = objective_.loss(pass, prediction, batch.target);
  const Tensor reported = objective_.reported(context_, prediction);
  tape.backward(loss);
  return {loss->value, reported, gradient_norm(context_, network_.parameters(), options_.clip)};
}

// Queues the copies of the results to the host.
void TrainStep::fetch(const Outputs& outputs, Slot& s) {
  if (!s.loss.defined() || s.prediction.shape() != outputs.prediction.shape()) {
    s.loss = pinned_like(outputs.loss);
    s.prediction = pinned_like(outputs.prediction);
    s.norm = pinned_like(outputs.norm);
  }
  copy(outputs.loss, s.loss, context_.stream);
  copy(outputs.prediction, s.prediction, context_.stream);
  copy(outputs.norm, s.norm, context_.stream);
  s.done.record(context_.stream);
}

void TrainStep::run(std::int64_t step) {
  const Outputs outputs = compute();
  fetch(outputs, slot(step));
  if (options_.nan_guard) {
    slot(step).done.wait();
    guard(step, slot(step));  // before the parameters are updated, so that the step can be repeated
  }
  optimizer_.apply(context_, scalars_);
  slot(step).done.record(context_.stream);
}

void TrainStep::replay(std::int64_t step) {
  if (graph_ == nullptr) {
    graph_ = std::make_unique<Graph>(context_.stream, [&] {
      outputs_ = compute();
      optimizer_.apply(context_, scalars_);
    });
  } else {
    network_.replayed();
  }
  graph_->launch(context_.stream);
  fetch(outputs_, slot(step));
}

void TrainStep::launch(std::int64_t step) {
  stage(step);
  slot(step).replayed = options_.graph && Graph::possible(context_.device()) && !context_.observer && warm_;
  if (slot(step).replayed) {
    replay(step);
  } else {
    run(step);
    warm_ = true;
  }
}

Report TrainStep::finish(std::int64_t step) {
  Slot& s = slot(step);
  s.done.wait();
  if (options_.nan_guard) guard(step, s);
  Report report;
  report.epoch = step / training_.batches_per_epoch();
  report.step = step + 1;
  report.samples = s.prediction.shape()[0];
  report.learning_rate = s.learning_rate;
  report.loss = static_cast<double>(s.loss.values<float>()[0]);
  report.gradient_norm = s.norm.values<double>()[0];
  report.metric =
      objective_.metric(doubles_of(s.prediction), doubles_of(s.target)) / static_cast<double>(report.samples);
  const auto now = std::chrono::steady_clock::now();
  report.seconds = seconds_between_times(std::max(s.launched, finished_), now);
  finished_ = now;
  return report;
}

void TrainStep::guard(std::int64_t step, const Slot& s) {
  const double loss = static_cast<double>(s.loss.values<float>()[0]), norm = s.norm.values<double>()[0];
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  if (!s.replayed) explain_nonfinite(step, s);
  fail("training stopped at step ", step, " of epoch ", step / training_.batches_per_epoch(),
       ": the loss is ", loss, " and the gradient norm ", norm, " (learning rate ", s.learning_rate,
       "). The last checkpoint is untouched; continue from it with train.graph=off to find the first op "
       "whose result is not finite");
}

// Repeats the step and examines every output of every op. It is the same step because the parameters have not
// been updated. The network is not used afterwards.
void TrainStep::explain_nonfinite(std::int64_t step, const Slot& s) {
  std::string culprit, reason;
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
        const bool same = p.value().data() == tensors[i].data() ||
                          (p.var->bf16_copy.defined() && p.var->bf16_copy.data() == tensors[i].data());
        if (same) read += concat(read.empty() ? ", reading parameter " : ", ", p.name);
      }
    }
    if (bad.empty()) return;
    culprit = concat(op.name(), " (", op.text(), ", rung ", kernel.rung, "): ", bad, read);
    reason = op.why_not_finite(Copied(tensors, examiner.stream));
  };
  for (const Parameter& p : parameters) p.grad() = {};
  context_.observer = examine;
  compute();
  fail("training stopped at step ", step, " of epoch ", step / training_.batches_per_epoch(),
       ": the loss is ", s.loss.values<float>()[0], " and the gradient norm ", s.norm.values<double>()[0],
       " (learning rate ", s.learning_rate, "). The first op with a result that is not finite is ",
       culprit.empty() ? "not reproducible" : culprit, reason.empty() ? "" : ", because ", reason,
       ". The last checkpoint is untouched",
       reason.empty() ? "; a lower learning rate or train.clip may help" : "");
}

}  // namespace umbra
