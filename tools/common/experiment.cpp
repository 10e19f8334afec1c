#include "tools/common/experiment.h"

#include <cmath>

#include "data/images/labels.h"
#include "engine/io/hdf5.h"
#include "models/tasks/smf/smf_task.h"
#include "tools/common/backend.h"
#include "tools/common/ensemble.h"

namespace umbra {
namespace {

std::unique_ptr<Module> build_network(const RunConfig& config, const SampleShape& shape,
                                      const Context& context, const std::string& source, bool learns) try {
  Build build{context.device(), DType::kF32, static_cast<std::uint64_t>(config.seed)};
  build.learns = learns;
  build.precision = context.precision;
  require(config.model->takes_lists() == shape.list, "model.name=", config.model->name(),
          shape.list ? " takes grids, but data.input=halos; set model.name=um_halos or data.input=voxels"
                     : " takes lists of halos; set data.input=halos");
  return config.model->make(build, shape);
} catch (const Error& error) {
  fail(source, ", ", config.task->words().inputs, ": ", error.what());
}

std::filesystem::path checkpoint_of(const std::filesystem::path& run, Epoch epoch) {
  std::filesystem::path file = run;
  if (std::filesystem::is_directory(run)) {
    file = run / "best.h5";
    if (epoch == Epoch::kLast || !std::filesystem::exists(file)) file = run / "last.h5";
  }
  require(std::filesystem::exists(file), run.string(),
          ": no such run: a folder with best.h5 or last.h5 is expected");
  return file;
}

RunConfig config_in(const CheckpointInfo& info, const std::filesystem::path& file) {
  const std::string where = file.string() + ", attribute config";
  RunConfig config;
  config.bind().read_text(info.config, where);
  try {
    config.check();
  } catch (const Error& error) {
    fail(where, ": ", error.what());
  }
  return config;
}

}  // namespace

std::vector<double> finite_predictions(Context& context, const Objective& objective, const Loader& data,
                                       const std::string& where, Stage* stage) {
  std::vector<double> phi = predict_all(context, objective, data, stage);
  for (double value : phi) {
    require(std::isfinite(value), where,
            ": the network's prediction is not finite; its weights or the data must contain extreme values");
  }
  return phi;
}

std::vector<InputFile> inputs_of(const std::filesystem::path& run, std::vector<InputFile> inputs) {
  inputs.push_back({"--run", run});
  std::error_code ignored;
  std::vector<std::filesystem::path> folders{run};
  if (!std::filesystem::is_directory(run, ignored)) {  // a checkpoint: protects the rest of its run, too
    folders = {run.parent_path()};
    if (const auto real = std::filesystem::canonical(run, ignored); !ignored)
      folders.push_back(real.parent_path());
  }
  for (std::int64_t member = 1; std::filesystem::is_directory(member_folder(run, member), ignored); ++member)
    folders.push_back(member_folder(run, member));
  for (const auto& folder : folders)
    for (const char* name : kRunFiles) inputs.push_back({"file of --run", folder / name});
  return inputs;
}

Experiment::Experiment(const RunConfig& config, Fitted fitted, const std::string& source, bool learns)
    : config_(config),
      fitted_(std::move(fitted)),
      registry_(make_registry_with_peers(config_.kernels)),
      context_(registry_, choose_device(config.device, registry_)) {
  check_precision(config_.precision, context_.device(), learns, registry_);
  context_.precision = config_.precision;
  network_ = build_network(config_, config_.task->shape(fitted_), context_, source, learns);
  objective_ = config_.task->objective(context_, *network_, fitted_);
}

RunConfig config_of_run(const std::filesystem::path& run) {
  const std::filesystem::path file = checkpoint_of(members_of(run.string()).front(), Epoch::kBest);
  return config_in(read_checkpoint_info(file), file);
}

void check_kind(const std::string& run, const Task& task, const std::filesystem::path& data) {
  const bool takes_catalogs = task.name() == SmfTask::kName;
  const bool is_folder = is_image_folder(data);
  const auto other = [&] {
    if (takes_catalogs) return task_of_file(data) != task.name();
    try {
      return !is_folder && Hdf5File::open(data).has_group("halos");
    } catch (const Error&) {
      return false;
    }
  };
  require(!other(), run, ": this run was trained on a ", task.words().source,
          takes_catalogs ? "" : " or a folder of images", ", but ", data.string(), " is ",
          !takes_catalogs ? "a catalog"
          : is_folder     ? "a folder of images"
                          : "none");
}

std::unique_ptr<Experiment> Experiment::load(const std::filesystem::path& run, const std::string& device,
                                             std::optional<Precision> precision, Epoch epoch) {
  const std::filesystem::path file = checkpoint_of(run, epoch);
  CheckpointInfo info = read_checkpoint_info(file);
  RunConfig config = config_in(info, file);
  config.device = device;
  if (precision) config.precision = *precision;
  config.task->check_fitted(info.transform, file.string());
  auto experiment = std::make_unique<Experiment>(config, info.transform, file.string(), false);
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
