#include "engine/train/train_step.h"

#include <chrono>

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
  s.totals.reset();
  if (options_.parallel != nullptr) {
    s.share = objective_.weight ? options_.parallel->share(objective_.weight(doubles_of(s.target)))
                                : static_cast<double>(training_.batch_size(step)) /
                                      static_cast<double>(training_.whole_size(step));
  }
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

TrainStep::Outputs TrainStep::compute(std::int64_t step) {
  const Batch batch = batches_->gather(context_);
  Tape tape(context_);
  Pass pass{context_, &tape, true, Rng(options_.seed, Purpose::kDropout), number_};
  SharedBatch shared{training_.first_of_part(step), training_.whole_size(step)};
  if (options_.parallel != nullptr) {
    shared.statistics = options_.parallel->statistics();
    pass.shared = &shared;
  }
  const Var prediction = objective_.predict(pass, constant(batch.input));
  const Var loss = objective_.loss(pass, prediction, batch.target);
  const Tensor reported = objective_.reported(context_, prediction);
  if (options_.parallel == nullptr)
    tape.backward(loss);
  else
    differentiate_together(tape, loss, slot(step).share);
  return {loss->value, reported, gradient_norm(context_, network_.parameters(), options_.clip)};
}

// The gradient of this process's share in the loss of the whole batch, added to those of the other processes.
void TrainStep::differentiate_together(Tape& tape, const Var& loss, double share) {
  DataParallel& parallel = *options_.parallel;
  BackwardOptions backward;
  backward.start = context_.temporary(loss->value.shape(), loss->value.dtype());
  from_host(std::vector<double>{share}, backward.start, context_.stream);
  parallel.start(context_, backward.start);
  backward.on_final = [&](const Var& variable) { parallel.send(context_, variable); };
  tape.backward(loss, backward);
  parallel.finish(context_);
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
  const Outputs outputs = compute(step);
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
      outputs_ = compute(step);
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
  slot(step).replayed = options_.graph && options_.parallel == nullptr &&
                        Graph::possible(context_.device()) && !context_.observer && warm_;
  if (slot(step).replayed) {
    replay(step);
  } else {
    run(step);
    warm_ = true;
  }
}

// The loss of the whole batch and the sum of its metric, of a step that is done.
const DataParallel::Totals& TrainStep::totals(Slot& s) {
  if (s.totals) return *s.totals;
  const auto loss = static_cast<double>(s.loss.values<float>()[0]);
  const double metric = objective_.metric(doubles_of(s.prediction), doubles_of(s.target));
  s.totals = options_.parallel == nullptr ? DataParallel::Totals{loss, metric}
                                          : options_.parallel->add(s.share * loss, metric);
  return *s.totals;
}

Report TrainStep::finish(std::int64_t step) {
  Slot& s = slot(step);
  s.done.wait();
  if (options_.nan_guard) guard(step, s);
  Report report;
  report.epoch = step / training_.batches_per_epoch();
  report.step = step + 1;
  report.samples = training_.whole_size(step);
  report.learning_rate = s.learning_rate;
  report.loss = totals(s).loss;
  report.gradient_norm = s.norm.values<double>()[0];
  report.metric = totals(s).metric / static_cast<double>(report.samples);
  const auto now = std::chrono::steady_clock::now();
  report.seconds = seconds_between_times(std::max(s.launched, finished_), now);
  finished_ = now;
  return report;
}

}  // namespace umbra
