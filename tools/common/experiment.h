// Experiment: a network with the scalings around it, built from a RunConfig, shared by train, predict and
// evaluate.
//
//   catalog -> sub-boxes -> inputs times input_scale -> network -> z -> phi = z * label_scale + label_shift
//   -> chi^2
//
// Predictions and chi^2 are always in phi, whatever the network learns in.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/io/atomic_file.h"
#include "engine/io/checkpoint.h"
#include "engine/train/trainer.h"
#include "tools/common/transform.h"

namespace umbra {

/// Predictions for every box of `data`, [boxes, bins]. Throws Error when one is not finite.
std::vector<double> finite_predictions(Context& context, const Task& task, const Loader& data,
                                       const std::string& where);

/// phi floor of chi2_log: so many galaxies per sub-box and bin, in the unit of phi.
double log_floor(const RunConfig& config);

/// What train writes into the folder of a run.
inline constexpr const char* kRunFiles[] = {"config.toml", "metrics.csv", "last.h5", "best.h5",
                                            "best.safetensors"};
/// `inputs` and the files of `run`, a folder or one of its checkpoints.
std::vector<InputFile> inputs_of(const std::filesystem::path& run, std::vector<InputFile> inputs);

class Experiment {
 public:
  /// A fresh network, initialised from train.seed.
  /// `learns`: false for a network that is only loaded and asked (engine/nn/module.h).
  Experiment(const RunConfig& config, Transform transform, bool learns = true);
  /// The network of a checkpoint (RUN/best.h5 where there is one, else RUN/last.h5; or a file), for
  /// prediction on `device`, in the run's own precision unless another is given. With bf16 the weights of its
  /// convolutions are held as bfloat16: half of the memory.
  static std::unique_ptr<Experiment> load(const std::filesystem::path& run, const std::string& device,
                                          std::optional<Precision> precision = {});

  const RunConfig& config() const { return config_; }
  const Transform& transform() const { return transform_; }
  Context& context() { return context_; }
  Module& network() { return *network_; }
  const CheckpointInfo& info() const { return info_; }  // of load()
  /// phi in, chi^2 out.
  const Task& task() const { return task_; }
  std::unique_ptr<Optimizer> make_optimizer();

 private:
  RunConfig config_;
  Transform transform_;
  Registry registry_;
  Context context_;
  std::unique_ptr<Module> network_;
  Task task_;
  CheckpointInfo info_;
};

}  // namespace umbra
