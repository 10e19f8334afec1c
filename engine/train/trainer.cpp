#include "engine/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace umbra {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Calls visit(first sample, batch, prediction) for every batch of one pass in evaluation mode.
template <class Visit>
void evaluate_batches(Context& context, const Objective& objective, const Loader& data, const Visit& visit) {
  std::unique_ptr<StagedBatches> batches;
  for (std::int64_t i = 0; i < data.batches_per_epoch(); ++i) {
    if (batches == nullptr || batches->batch_size() != data.batch_size(i)) {
      context.stream.synchronize();  // before the memory of the previous batches is freed
      batches = std::make_unique<StagedBatches>(context, data, i);
    }
    batches->stage(context, i);
    const Batch batch = batches->gather(context);
    Pass pass{context};
    const Var prediction = objective.predict(pass, constant(batch.input));
    visit(pass, batch, prediction);
  }
}

}  // namespace

Trainer::Trainer(Context& context, Module& network, Optimizer& optimizer, Objective objective,
                 TrainerOptions options)
    : context_(context),
      network_(network),
      optimizer_(optimizer),
      objective_(std::move(objective)),
      options_(std::move(options)) {}

std::int64_t Trainer::run(const Loader& training, const Loader* validation, std::int64_t step,
                          const std::vector<Observer*>& observers) {
  const std::int64_t per_epoch = training.batches_per_epoch(), total = options_.epochs * per_epoch;
  context_.stream.synchronize();
  network_.renew_bf16_copies();  // the weights may have been written since, from a checkpoint for example
  TrainStep train_step(context_, network_, optimizer_, objective_, options_, training);
  const auto tell = [&](const Report& report) {
    for (Observer* observer : observers) observer->on_step(report);
  };
  const auto anybody = [&](const auto& wants) {
    return std::any_of(observers.begin(), observers.end(), wants);
  };
  const auto wants_stop = [](const Observer* observer) { return observer->wants_stop(); };
  bool under_way = false;  // the previous step has been launched but not finished
  for (; step < total; ++step) {
    train_step.launch(step);
    if (under_way) tell(train_step.finish(step - 1));
    const bool epoch_end = (step + 1) % per_epoch == 0;
    under_way = train_step.pipelined() && !epoch_end && !anybody(wants_stop) &&
                !anybody([&](const Observer* observer) { return observer->wants_state(step + 1); });
    if (under_way) continue;

    const Report report = train_step.finish(step);
    tell(report);
    if (epoch_end && validation != nullptr) {
      Report result = validate(context_, objective_, *validation);
      result.epoch = report.epoch;
      result.step = report.step;
      result.learning_rate = report.learning_rate;
      require(!options_.nan_guard || (std::isfinite(result.metric) && std::isfinite(result.loss)),
              "validation after step ", report.step, ": the loss is ", result.loss, " and the metric ",
              result.metric,
              ", although training is finite: the running statistics of a batch norm have diverged; a "
              "lower learning rate may help");
      for (Observer* observer : observers) observer->on_validation(result);
    }
    for (Observer* observer : observers) observer->on_step_done(report, epoch_end);
    if (anybody(wants_stop)) return step + 1;
  }
  return step;
}

Report validate(Context& context, const Objective& objective, const Loader& data) {
  const auto start = std::chrono::steady_clock::now();
  Report report;
  evaluate_batches(context, objective, data, [&](Pass& pass, const Batch& batch, const Var& prediction) {
    const std::int64_t samples = prediction->value.shape()[0];
    const auto count = static_cast<double>(samples);
    report.loss += to_host(objective.loss(pass, prediction, batch.target)->value, context.stream)[0] * count;
    report.metric += objective.metric(to_host(objective.reported(context, prediction), context.stream),
                                      to_host(batch.target, context.stream));
    report.samples += samples;
  });
  report.loss /= static_cast<double>(report.samples);
  report.metric /= static_cast<double>(report.samples);
  report.seconds = seconds_since(start);
  return report;
}

std::vector<double> predict_all(Context& context, const Objective& objective, const Loader& data,
                                Stage* stage) {
  std::vector<double> all;
  evaluate_batches(context, objective, data, [&](Pass&, const Batch&, const Var& prediction) {
    const std::vector<double> values = to_host(objective.reported(context, prediction), context.stream);
    all.insert(all.end(), values.begin(), values.end());
    if (stage) stage->add(prediction->value.shape()[0]);
  });
  return all;
}

}  // namespace umbra
