#include "tools/common/experiment.h"

#include <bit>
#include <cmath>

#include "data/observations/moustakas2013.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv_inference/op.h"
#include "engine/ops/linear/op.h"
#include "engine/registry/register_peers.h"
#include "engine/runtime/backend.h"
#include "models/um_resnet.h"

namespace umbra {
namespace {

constexpr double kLn10 = 2.302585092994046;

std::vector<double> input_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                                 const RunConfig& config) {
  const std::size_t features = boxes.options.features.size();
  std::vector<double> scales(features, 1.0);
  if (config.input_scaling == "none") return scales;
  const auto voxels = static_cast<std::size_t>(boxes.options.voxels);
  const std::size_t volume = voxels * voxels * voxels;
  for (std::size_t f = 0; f < features; ++f) {
    double squares = 0, occupied = 0;
    for (std::int64_t box : train) {
      const float* cell = boxes.input.data() + (static_cast<std::size_t>(box) * features + f) * volume;
      for (std::size_t v = 0; v < volume; ++v) {
        squares += static_cast<double>(cell[v]) * static_cast<double>(cell[v]);
        occupied += cell[v] != 0 ? 1 : 0;
      }
    }
    if (squares > 0) scales[f] = std::sqrt(occupied / squares);
  }
  return scales;
}

// Mean and deviation of a label over the training boxes. A bin that never varies gets the deviation that one
// galaxy in one box would make, so that nothing is divided by zero.
void label_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train, Transform& transform) {
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  const auto count = static_cast<double>(train.size());
  for (std::size_t b = 0; b < bins; ++b) {
    double sum = 0, squares = 0, smallest = 0;
    for (std::int64_t box : train)
      sum += static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * bins + b]);
    for (std::int64_t box : train) {
      const double d = static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * bins + b]) - sum / count;
      squares += d * d;
    }
    smallest = 1 / (std::pow(boxes.options.subbox_size, 3) * std::sqrt(count));
    transform.label_shift[b] = sum / count;
    transform.label_scale[b] = std::max(std::sqrt(squares / count), smallest);
  }
}

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
  for (const OpFamily& family : registry.families()) {
    for (const Kernel& kernel : family.kernels) {
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
    const DType weights = precision == Precision::kBf16 ? DType::kBf16 : f32;
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
Precision choose_precision(const std::string& wanted, Device device, bool learns, const Registry& registry) {
  const Precision precision = wanted == "bf16"   ? Precision::kBf16
                              : wanted == "tf32" ? Precision::kTf32
                                                 : Precision::kF32;
  if (precision == Precision::kF32) return precision;
  for (const auto& op : rounding_problems(precision, learns)) {
    require(registry.choose_if_any(*op, device.kind) != nullptr, "precision=", wanted,
            ": no kernel of this build for ", name_of(device.kind), " computes ", op->name(),
            " with it; use precision=fp32");
  }
  return precision;
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

Transform fit_transform(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                        const RunConfig& config) {
  require(!boxes.smf.empty(), boxes.source,
          ": the catalog has no column stellar_mass, so there is nothing to learn from");
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  Transform t;
  t.input_scale = input_scales(boxes, train, config);
  t.label_scale.assign(bins, 1.0);
  t.label_shift.assign(bins, 0.0);
  if (config.label_scaling == "standard") label_scales(boxes, train, t);
  t.sigma.assign(boxes.sigma.begin(), boxes.sigma.end());
  for (std::size_t b = 0; b < bins; ++b) {
    const ObservedSmfRow* row = moustakas2013_at((boxes.edges[b] + boxes.edges[b + 1]) / 2);
    require(row != nullptr, "the mass bin ", boxes.edges[b], " to ", boxes.edges[b + 1],
            " lies outside the observed table");
    t.sigma_dex.push_back(row->sigma() / (row->phi * kLn10));
  }
  return t;
}

std::map<std::string, std::vector<double>> to_map(const Transform& t) {
  return {{"input_scale", t.input_scale},
          {"label_scale", t.label_scale},
          {"label_shift", t.label_shift},
          {"sigma", t.sigma},
          {"sigma_dex", t.sigma_dex}};
}

Transform from_map(const std::map<std::string, std::vector<double>>& map, const RunConfig& config,
                   const std::string& where) {
  const auto get = [&](const std::string& name, std::size_t length) {
    const auto found = map.find(name);
    require(found != map.end() && found->second.size() == length, where, ": /transform/", name, " with ",
            length, " numbers is expected");
    return found->second;
  };
  const auto bins = static_cast<std::size_t>(config.smf_bins);
  for (const auto& [name, values] : map) {
    for (double v : values)
      require(std::isfinite(v), where, ": /transform/", name, " holds a number that is not finite");
  }
  for (double v : get("sigma", bins)) require(v > 0, where, ": /transform/sigma must be positive");
  return {get("input_scale", config.boxes.features.size()), get("label_scale", bins),
          get("label_shift", bins), get("sigma", bins), get("sigma_dex", bins)};
}

void scale_inputs(BoxSet& boxes, const Transform& transform) {
  const auto voxels = static_cast<std::size_t>(boxes.options.voxels);
  const std::size_t volume = voxels * voxels * voxels, features = transform.input_scale.size();
  for (std::size_t i = 0; i < boxes.input.size(); ++i) {
    boxes.input[i] *= static_cast<float>(transform.input_scale[i / volume % features]);
  }
}

void Fingerprint::add(std::span<const float> numbers) {
  for (float value : numbers) hash_ = (hash_ ^ std::bit_cast<std::uint32_t>(value)) * 0x100000001b3;
}

std::vector<double> Fingerprint::value() const {
  return {static_cast<double>(hash_ >> 32), static_cast<double>(hash_ & 0xffffffff)};
}

std::vector<double> fingerprint(const BoxSet& boxes) {
  Fingerprint whole;
  whole.add(boxes.input);
  whole.add(boxes.smf);
  return whole.value();
}

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
  registry_.prefer(config_.kernels);
  context_.precision = choose_precision(config_.precision, context_.device(), learns, registry_);
  network_ = build_network(config_, context_, learns);
  task_ = make_task(config_, transform_, context_, *network_);
}

std::unique_ptr<Experiment> Experiment::load(const std::filesystem::path& run, const std::string& device,
                                             const std::string& precision) {
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
  if (!precision.empty()) config.precision = precision;
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
