#include "tools/train/dry_run.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "engine/ops/conv/op.h"
#include "engine/ops/matmul/op.h"

namespace umbra {
namespace {

struct LayerCost {
  std::string problem;
  double forward_flops = 0;
};

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, pattern, values...);
  return buffer;
}

// Chooses the batch as train does, or the usual one if there are no data, and returns the numbers that the network is made
// with. The data are read once at most.
Fitted read_data(RunConfig& config, const TrainArguments& arguments) {
  Task& task = *config.task;
  if (!arguments.data.empty()) task.find_files_next_to(arguments.out);
  if (config.batch.number || arguments.data.empty()) {
    if (!config.batch.number) config.batch.number = RunConfig::kUsualBatch;
    return task.neutral(arguments.data);
  }
  const std::unique_ptr<TrainingData> data = task.read(arguments.data);
  config.batch.number = RunConfig::batch_for(std::ssize(data->split().train));
  return data->fit();
}

// Random numbers between 0 and 1.
Tensor made_up(const Shape& shape, Context& context) {
  std::vector<double> values(static_cast<std::size_t>(shape.count()));
  const Rng rng(1, Purpose::kTest);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = rng.uniform(i);
  const Tensor tensor = context.temporary(shape, DType::kF32);
  from_host(values, tensor, context.stream);
  return tensor;
}

// There are two copies of the state for checkpoints, without the bfloat16 copies and packed forms of weights.
std::string memory_line(const RunConfig& config, const Module& network, const Arena& arena) {
  constexpr double kMiB = 1 << 20;
  const std::size_t moments = config.optimizer == "sgd" ? (config.momentum != 0 ? 1 : 0) : 2;
  std::size_t state = 0, copies = 0;
  for (const NamedTensor& named : network.state()) state += named.tensor.bytes();
  for (const Parameter& p : network.parameters()) {
    const Tensor& value = p.value();
    const std::int64_t moving =
        config.weight_decay == 0 ? p.var->grad_layout.stored(value.shape()) : value.count();
    state += moments * static_cast<std::size_t>(moving) * size_of(value.dtype());
    const PackedWeights& packed = p.var->packed;
    for (const Tensor& copy : {p.var->bf16_copy, packed.straight, packed.transposed})
      copies += copy.defined() ? copy.bytes() : 0;
  }
  return format(
      "memory          %.1f MiB weights and optimiser, %.1f MiB two copies of them for checkpoints, %.1f MiB "
      "activations, gradients and workspace\n",
      static_cast<double>(state + copies) / kMiB, static_cast<double>(2 * state) / kMiB,
      static_cast<double>(arena.bytes_held()) / kMiB);
}

}  // namespace

std::string dry_run(RunConfig config, const TrainArguments& arguments) {
  const std::string& data = arguments.data;
  const bool assumed = !config.batch.number && data.empty();
  const Fitted fitted = read_data(config, arguments);
  const Task& task = *config.task;
  Experiment experiment(config, fitted, data.empty() ? "--dry-run" : data);
  Context& context = experiment.context();
  std::map<const void*, LayerCost> layers;  // by the address at which they read their weights
  double flops = 0;
  context.observer = [&](const Op& op, const Kernel& kernel, std::span<const Tensor> tensors, double) {
    flops += op.flops();
    if (const auto* conv = dynamic_cast<const ConvFprop*>(&op)) {
      layers[tensors[1].data()] = {concat(conv->text(), " (", kernel.rung, ")"), conv->flops()};
    } else if (op.name() == "linear_fprop" || op.name() == "stem3d_forward") {
      layers[tensors[1].data()] = {concat(op.text(), " (", kernel.rung, ")"), op.flops()};
    }
  };

  const std::int64_t batch = *config.batch.number;
  const Tensor input = made_up(stacked(batch, task.shape(experiment.fitted()).input), context);
  const Tensor target = context.temporary(stacked(batch, task.target_shape(experiment.fitted())),
                                          task.target_dtype(experiment.fitted()));
  from_host(std::vector<double>(static_cast<std::size_t>(target.count()), 1.0), target, context.stream);
  Tape tape(context);
  Pass pass{context, &tape, true};
  const Objective& objective = experiment.objective();
  tape.backward(objective.loss(pass, objective.predict(pass, constant(input)), target));

  std::string text =
      "parameter                          shape                      parameters       dead  MFLOP fwd  "
      "problem (rung)\n";
  std::int64_t total = 0, dead = 0;
  for (const Parameter& p : experiment.network().parameters()) {
    const auto layer = std::find_if(layers.begin(), layers.end(),
                                    [&](const auto& read) { return p.var->is_at(read.first); });
    const LayerCost cost = layer == layers.end() ? LayerCost{} : layer->second;
    const std::int64_t never = p.value().count() - p.var->grad_layout.stored(p.value().shape());
    text += format("%-34s %-25s %11lld %10lld %10.2f  %s\n", p.name.c_str(), p.value().shape().text().c_str(),
                   static_cast<long long>(p.value().count()), static_cast<long long>(never),
                   cost.forward_flops * 1e-6, cost.problem.c_str());
    total += p.value().count();
    dead += never;
  }
  text += format("\nparameters      %lld, of which %lld live and %lld dead (they only ever meet padding)\n",
                 static_cast<long long>(total), static_cast<long long>(total - dead),
                 static_cast<long long>(dead));
  text += format("useful work     %.3f GFLOP per step of %lld %s, forward and backward\n", flops * 1e-9,
                 static_cast<long long>(batch), task.words().unit.c_str());
  if (assumed)
    text += concat("batch           ", batch, " ", task.words().unit,
                   " are assumed, because train.batch=auto depends on the samples in --data\n");
  return text + memory_line(config, experiment.network(), context.arena);
}

}  // namespace umbra
