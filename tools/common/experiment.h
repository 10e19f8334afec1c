// Experiment: a network with its context, objective and optimizer, built from a RunConfig. Used by train,
// predict and evaluate.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "engine/io/atomic_file.h"
#include "engine/io/checkpoint.h"
#include "engine/train/trainer.h"
#include "tools/common/run_config.h"

namespace umbra {

/// predict_all(). Throws Error when a prediction is not finite.
std::vector<double> finite_predictions(Context& context, const Objective& objective, const Loader& data,
                                       const std::string& where, Stage* stage = nullptr);

/// The files that train writes into the folder of a run.
inline constexpr const char* kRunFiles[] = {"config.toml", "baselines.json", "metrics.csv",
                                            "last.h5",     "best.h5",        "best.safetensors"};
/// `inputs`, followed by the files of `run`: the folder of a run or an ensemble, or a checkpoint.
std::vector<InputFile> inputs_of(const std::filesystem::path& run, std::vector<InputFile> inputs);

/// The configuration of a run, given as a folder or one of its checkpoints, or of the first member of an ensemble.
/// Throws Error if there is none.
RunConfig config_of_run(const std::filesystem::path& run);

/// Throws Error if `data` is a catalog and the run takes data sets, or the reverse; other files are left to their
/// readers.
void check_kind(const std::string& run, const Task& task, const std::filesystem::path& data);

/// Which checkpoint of the folder of a run is used.
enum class Epoch {
  kBest,  ///< best.h5, of the epoch with the best validation metric; last.h5 if there is none
  kLast   ///< last.h5: no validation sample had a part in the choice
};

class Experiment {
 public:
  /// A new network, initialised from train.seed.
  /// Errors about its inputs name `source`, the data or the run.
  /// `learns`: false for a network that is only used for inference (engine/nn/module.h).
  Experiment(const RunConfig& config, Fitted fitted, const std::string& source, bool learns = true);
  /// The network of a checkpoint (a file, or that of `epoch` in the folder of a run) for prediction on `device`, in the
  /// precision of the run unless another is given. With bf16 the weights of its convolutions are stored as bfloat16,
  /// which halves their memory.
  static std::unique_ptr<Experiment> load(const std::filesystem::path& run, const std::string& device,
                                          std::optional<Precision> precision = {},
                                          Epoch epoch = Epoch::kBest);

  const RunConfig& config() const { return config_; }
  /// The numbers that belong to the network; after load() also all others in its checkpoint.
  const Fitted& fitted() const { return fitted_; }
  Context& context() { return context_; }
  Module& network() { return *network_; }
  const CheckpointInfo& info() const { return info_; }  // after load()
  /// Computes prediction, loss and metric from an input.
  const Objective& objective() const { return objective_; }
  std::unique_ptr<Optimizer> make_optimizer();

 private:
  RunConfig config_;
  Fitted fitted_;
  Registry registry_;
  Context context_;
  std::unique_ptr<Module> network_;
  Objective objective_;
  CheckpointInfo info_;
};

}  // namespace umbra
