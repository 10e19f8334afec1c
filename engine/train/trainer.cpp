#include "engine/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace umbra {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Calls visit(pass, number of the batch, batch, prediction) for every `stride`-th batch of one pass in evaluation mode.
template <class Visit>
void evaluate_batches(Context& context, const Objective& objective, const Loader& data, std::int64_t first,
                      std::int64_t stride, const Visit& visit) {
  std::unique_ptr<StagedBatches> batches;
  for (std::int64_t i = first; i < data.batches_per_epoch(); i += stride) {
    if (batches == nullptr || batches->batch_size() != data.batch_size(i)) {
      context.stream.synchronize();  // before the memory of the previous batches is freed
      batches = std::make_unique<StagedBatches>(context, data, i);
    }
    batches->stage(context, i);
    const Batch batch = batches->gather(context);
    Pass pass{context};
    const Var prediction = objective.predict(pass, constant(batch.input));
    visit(pass, i, batch, prediction);
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
  network_.renew_copies();  // the weights may have been written since, from a checkpoint for example
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
      Report result = validate(context_, objective_, *validation, options_.parallel);
      result.epoch = report.epoch;
      result.step = report.step;
      result.learning_rate = report.learning_rate;
      if (options_.nan_guard && !(std::isfinite(result.metric) && std::isfinite(result.loss)))
        throw SharedError(concat("validation after step ", report.step, ": the loss is ", result.loss,
                                 " and the metric ", result.metric,
                                 ", although training is finite: the running statistics of a batch norm have "
                                 "diverged; a lower learning rate may help"));
      for (Observer* observer : observers) observer->on_validation(result);
    }
    for (Observer* observer : observers) observer->on_step_done(report, epoch_end);
    if (anybody(wants_stop)) {
      ++step;
      break;
    }
  }
  for (Observer* observer : observers) observer->on_end();
  return step;
}

Report validate(Context& context, const Objective& objective, const Loader& data,
                const DataParallel* parallel) {
  const auto start = std::chrono::steady_clock::now();
  const std::int64_t processes = parallel == nullptr ? 1 : parallel->world().size(),
                     first = parallel == nullptr ? 0 : parallel->world().rank();
  const std::int64_t rounds = (data.batches_per_epoch() + processes - 1) / processes;
  std::vector<double> results(
      static_cast<std::size_t>(2 * rounds));  // of each batch: sums of loss and metric
  const auto visit = [&](Pass& pass, std::int64_t number, const Batch& batch, const Var& prediction) {
    const auto count = static_cast<double>(prediction->value.shape()[0]);
    const auto at = static_cast<std::size_t>(2 * (number / processes));
    results[at] = to_host(objective.loss(pass, prediction, batch.target)->value, context.stream)[0] * count;
    results[at + 1] = objective.metric(to_host(objective.reported(context, prediction), context.stream),
                                       to_host(batch.target, context.stream));
  };
  evaluate_batches(context, objective, data, first, processes, visit);
  if (parallel != nullptr) results = parallel->world().gather(results);
  Report report;
  for (std::int64_t number = 0; number < data.batches_per_epoch(); ++number) {
    const auto at = static_cast<std::size_t>(2 * (number % processes * rounds + number / processes));
    report.loss += results[at];
    report.metric += results[at + 1];
    report.samples += data.batch_size(number);
  }
  report.loss /= static_cast<double>(report.samples);
  report.metric /= static_cast<double>(report.samples);
  report.seconds = seconds_since(start);
  return report;
}

std::vector<double> predict_all(Context& context, const Objective& objective, const Loader& data,
                                Stage* stage) {
  std::vector<double> all;
  evaluate_batches(
      context, objective, data, 0, 1, [&](Pass&, std::int64_t, const Batch&, const Var& prediction) {
        const std::vector<double> values = to_host(objective.reported(context, prediction), context.stream);
        all.insert(all.end(), values.begin(), values.end());
        if (stage) stage->add(prediction->value.shape()[0]);
      });
  return all;
}

}  // namespace umbra
