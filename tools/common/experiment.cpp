#include "tools/common/experiment.h"

#include <cmath>

#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/matmul/op.h"
#include "engine/registry/register_peers.h"
#include "engine/runtime/backend.h"
#include "models/um_resnet.h"
#include "tools/common/renamed_rungs.h"

namespace umbra {
namespace {

Tensor tensor_of(const std::vector<double>& values, Context& context) {
  const Tensor tensor =
      allocate_tensor(context.device(), {static_cast<std::int64_t>(values.size())}, DType::kF32);
  from_host(values, tensor, context.stream);
  return tensor;
}

Registry make_registry_with_peers() {
  Registry registry = make_registry();
  register_peers(registry);
  return registry;
}

// A GPU is of use when this build has kernels for it.
Device choose_device(const std::string& wanted, const Registry& registry) {
  const Device device = parse_device(wanted);
  if (device.kind == Device::Kind::kCpu) return device;
  for (const Ladder& ladder : registry.ladders()) {
    for (const Kernel& kernel : ladder.kernels) {
      if (kernel.device == device.kind) return device;
    }
  }
  require(wanted == "auto", "device=", wanted, ": this build of umbra has no CUDA kernels");
  return {};
}

// Small problems of the ops that round their operands.
Problems rounding_problems(Precision precision, bool learns) {
  const ConvGeometry g{2, 8, 8, {4, 4, 4}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}};
  const DType f32 = DType::kF32;
  Problems problems;
  problems.push_back(std::make_unique<LinearFprop>(f32, 2, 8, 8, true, precision));
  if (!learns) {
    const DType weights = PrecisionPolicy(precision).conv_weights(g.in_channels, f32, learns);
    problems.push_back(std::make_unique<ConvInference>(f32, g, 1e-5, true, true, precision, weights));
    return problems;
  }
  problems.push_back(std::make_unique<ConvFprop>(f32, g, precision));
  problems.push_back(std::make_unique<ConvDgrad>(f32, g, precision));
  problems.push_back(std::make_unique<ConvWgrad>(f32, g, precision));
  problems.push_back(std::make_unique<LinearDgrad>(f32, 2, 8, 8, true, precision));
  problems.push_back(std::make_unique<LinearWgrad>(f32, 2, 8, 8, true, precision));
  return problems;
}

// What cannot be had is refused: a run never computes in another precision than it was told to.
void check_precision(Precision precision, Device device, bool learns, const Registry& registry) {
  if (precision == Precision::kF32) return;
  for (const auto& op : rounding_problems(precision, learns)) {
    require(registry.choose_if_any(*op, device.kind) != nullptr, "precision=", name_of(precision),
            ": no kernel of this build for ", name_of(device.kind), " computes ", op->name(),
            " with it; use precision=fp32");
  }
}

std::unique_ptr<Module> build_network(const RunConfig& config, const Context& context, bool learns) {
  Build build{context.device(), DType::kF32, static_cast<std::uint64_t>(config.seed)};
  build.learns = learns;
  build.precision = context.precision;
  UmResNetOptions options;
  options.channels = config.channels;
  options.in_channels = static_cast<std::int64_t>(config.boxes.features.size());
  options.voxels = config.voxels;
  options.outputs = config.smf_bins;
  options.dropout = config.dropout;
  return std::make_unique<UmResNet>(build, options);
}

Task make_task(const RunConfig& config, const Transform& transform, Context& context, Module& network) {
  const auto inverse = [](const std::vector<double>& scale, const std::vector<double>& shift) {
    std::pair<std::vector<double>, std::vector<double>> result;
    for (std::size_t b = 0; b < scale.size(); ++b) {
      result.first.push_back(1 / scale[b]);
      result.second.push_back(-shift[b] / scale[b]);
    }
    return result;
  };
  const Tensor scale = tensor_of(transform.label_scale, context),
               shift = tensor_of(transform.label_shift, context);
  const auto [back_scale, back_shift] = inverse(transform.label_scale, transform.label_shift);
  const Tensor unscale = tensor_of(back_scale, context), unshift = tensor_of(back_shift, context);
  const Tensor sigma = tensor_of(transform.sigma, context),
               sigma_dex = tensor_of(transform.sigma_dex, context);
  const double floor = log_floor(config);
  Task task;
  task.predict = [&network, scale, shift](Pass& pass, const Var& input) {
    return affine(pass, network.forward(pass, input), scale, shift);
  };
  if (config.loss == "chi2_linear") {
    task.loss = [sigma](Pass& pass, const Var& phi, const Tensor& target) {
      return chi2_linear(pass, phi, target, sigma);
    };
  } else if (config.loss == "chi2_log") {
    task.loss = [sigma_dex, floor](Pass& pass, const Var& phi, const Tensor& target) {
      return chi2_log(pass, phi, target, sigma_dex, floor);
    };
  } else {
    task.loss = [unscale, unshift](Pass& pass, const Var& phi, const Tensor& target) {
      const Tensor z = affine(pass, constant(target), unscale, unshift)->value;
      return mean_squared_error(pass, affine(pass, phi, unscale, unshift), z);
    };
  }
  task.metric = [errors = transform.sigma](std::span<const double> phi, std::span<const double> target) {
    double sum = 0;
    for (std::size_t i = 0; i < phi.size(); ++i) {
      const double d = (phi[i] - target[i]) / errors[i % errors.size()];
      sum += d * d;
    }
    return sum;
  };
  return task;
}

}  // namespace

std::vector<double> finite_predictions(Context& context, const Task& task, const Loader& data,
                                       const std::string& where) {
  std::vector<double> phi = predict_all(context, task, data);
  for (double value : phi) {
    require(std::isfinite(value), where,
            ": the network's prediction is not finite; its weights or the catalog must hold absurd numbers");
  }
  return phi;
}

double log_floor(const RunConfig& config) {
  const double one =
      1 / std::pow(config.boxes.subbox_size, 3) / (config.boxes.per_dex ? config.boxes.smf_width : 1.0);
  return config.log_floor_galaxies * one;
}

std::vector<InputFile> inputs_of(const std::filesystem::path& run, std::vector<InputFile> inputs) {
  inputs.push_back({"--run", run});
  std::error_code ignored;
  std::vector<std::filesystem::path> folders{run};
  if (!std::filesystem::is_directory(run, ignored)) {  // a checkpoint: its run's files are as dear
    folders = {run.parent_path()};
    if (const auto real = std::filesystem::canonical(run, ignored); !ignored)
      folders.push_back(real.parent_path());
  }
  for (const auto& folder : folders)
    for (const char* name : kRunFiles) inputs.push_back({"a file of --run", folder / name});
  return inputs;
}

Experiment::Experiment(const RunConfig& config, Transform transform, bool learns)
    : config_(config),
      transform_(std::move(transform)),
      registry_(make_registry_with_peers()),
      context_(registry_, choose_device(config.device, registry_)) {
  registry_.prefer(with_names_of_today(config_.kernels));
  check_precision(config_.precision, context_.device(), learns, registry_);
  context_.precision = config_.precision;
  network_ = build_network(config_, context_, learns);
  task_ = make_task(config_, transform_, context_, *network_);
}

std::unique_ptr<Experiment> Experiment::load(const std::filesystem::path& run, const std::string& device,
                                             std::optional<Precision> precision) {
  std::filesystem::path file = run;
  if (std::filesystem::is_directory(run)) {
    file = run / "best.h5";
    if (!std::filesystem::exists(file)) file = run / "last.h5";
  }
  require(std::filesystem::exists(file), run.string(),
          ": no such run: a folder with best.h5 or last.h5 is expected");
  CheckpointInfo info = read_checkpoint_info(file);
  RunConfig config;
  config.bind().read_text(info.config, file.string() + ", attribute config");
  config.device = device;
  if (precision) config.precision = *precision;
  try {
    config.check();
  } catch (const Error& error) {
    fail(file.string(), ", attribute config: ", error.what());
  }
  Transform transform = from_map(info.transform, config, file.string());
  auto experiment = std::make_unique<Experiment>(config, std::move(transform), false);
  load_checkpoint(file, experiment->network().state(), {});
  experiment->info_ = std::move(info);
  return experiment;
}

std::unique_ptr<Optimizer> Experiment::make_optimizer() {
  if (config_.optimizer == "sgd")
    return make_sgd(network_->parameters(), {config_.momentum, config_.weight_decay});
  AdamOptions options;
  options.weight_decay = config_.weight_decay;
  options.decoupled = config_.optimizer == "adamw";
  return make_adam(network_->parameters(), options);
}

}  // namespace umbra
