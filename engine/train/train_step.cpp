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
      training_(training) {}

bool TrainStep::pipelined() const {
  return sized_ != nullptr && sized_->graph != nullptr;
}

// Queues the copy of the inputs of this step: the samples, its number and the scalars of the optimiser.
void TrainStep::stage(std::int64_t step) {
  const auto launched = std::chrono::steady_clock::now();
  const double learning_rate = options_.learning_rate(step);
  const std::vector<double> scalars = optimizer_.advance(learning_rate);
  sized_ = &sizes_[training_.batch_size(step)];
  if (sized_->batches == nullptr) {
    sized_->batches =
        std::make_unique<StagedBatches>(context_, training_, step, static_cast<std::int64_t>(scalars.size()));
    for (auto& slot : sized_->slots) slot = std::make_unique<Slot>(context_.device());
  }
  Slot& s = slot(step);
  s.launched = launched;
  s.learning_rate = learning_rate;
  sized_->batches->stage(context_, step, scalars);
  s.target = sized_->batches->host_target(step);
  s.totals.reset();
  if (options_.parallel != nullptr) {
    s.share = objective_.weight ? options_.parallel->share(objective_.weight(doubles_of(s.target)))
                                : static_cast<double>(training_.batch_size(step)) /
                                      static_cast<double>(training_.whole_size(step));
  }
}

TrainStep::Outputs TrainStep::compute(std::int64_t step) {
  const Batch batch = sized_->batches->gather(context_);
  Tape tape(context_);
  Pass pass{context_, &tape, true, Rng(options_.seed, Purpose::kDropout), sized_->batches->number()};
  SharedBatch shared{training_.first_of_part(step), training_.whole_size(step)};
  if (options_.parallel != nullptr) {
    shared.statistics = options_.parallel->statistics();
    pass.shared = &shared;
  }
  const Var prediction = objective_.predict(pass, constant(batch.input));
  const Var loss = objective_.loss(pass, prediction, batch.target);
  const Tensor reported = objective_.reported(context_, prediction);
  if (options_.parallel == nullptr)
    tape.backward(loss, {.start = one(loss->value)});
  else
    differentiate_together(tape, loss, slot(step).share);
  return {loss->value, reported, gradient_norm(context_, network_.parameters(), options_.clip)};
}

// What the gradient of the loss starts from, written once and not by a launch of every step.
const Tensor& TrainStep::one(const Tensor& loss) {
  if (!one_.defined()) {
    one_ = allocate_tensor(context_.device(), loss.shape(), loss.dtype());
    from_host(std::vector<double>(static_cast<std::size_t>(loss.count()), 1), one_, context_.stream);
  }
  return one_;
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
  if (!s.loss.defined() ||
      s.prediction.shape() != outputs.prediction.shape()) {  // lists differ in their rows
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
  optimizer_.apply(context_, sized_->batches->scalars());
  slot(step).done.record(context_.stream);
}

void TrainStep::replay(std::int64_t step) {
  if (sized_->graph == nullptr) {
    sized_->graph = std::make_unique<Graph>(context_.stream, [&] {
      sized_->outputs = compute(step);
      optimizer_.apply(context_, sized_->batches->scalars());
    });
  } else {
    network_.replayed();
  }
  sized_->graph->launch(context_.stream);
  fetch(sized_->outputs, slot(step));
}

void TrainStep::launch(std::int64_t step) {
  stage(step);
  slot(step).replayed = options_.graph && options_.parallel == nullptr &&
                        Graph::possible(context_.device()) && !context_.observer && sized_->warm;
  if (slot(step).replayed) {
    replay(step);
    under_way_ = step;
  } else {
    // A replayed step updates the parameters even if its results are not finite; this one would be blamed for them.
    if (under_way_ && options_.nan_guard) await(*under_way_);
    run(step);
    sized_->warm = true;
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

// Waits for the results of a step and examines them.
TrainStep::Slot& TrainStep::await(std::int64_t step) {
  Slot& s = slot(step);
  s.done.wait();
  if (options_.nan_guard) guard(step, s);
  if (under_way_ == step) under_way_.reset();
  return s;
}

Report TrainStep::finish(std::int64_t step) {
  Slot& s = await(step);
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
