// Experiment: a network with what is around it, built from a RunConfig, shared by train, predict and evaluate.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "engine/io/atomic_file.h"
#include "engine/io/checkpoint.h"
#include "engine/train/trainer.h"
#include "tools/common/run_config.h"

namespace umbra {

/// Predictions for every sample of `data`, [samples, outputs]. Throws Error when one is not finite.
std::vector<double> finite_predictions(Context& context, const Objective& objective, const Loader& data,
                                       const std::string& where);

/// What train writes into the folder of a run.
inline constexpr const char* kRunFiles[] = {"config.toml", "metrics.csv", "last.h5", "best.h5",
                                            "best.safetensors"};
/// `inputs` and the files of `run`, a folder or one of its checkpoints.
std::vector<InputFile> inputs_of(const std::filesystem::path& run, std::vector<InputFile> inputs);

/// The configuration of a run, a folder or one of its checkpoints. Throws Error where there is none.
RunConfig config_of_run(const std::filesystem::path& run);

class Experiment {
 public:
  /// A fresh network, initialised from train.seed.
  /// Errors about what it is to take name `source`, the data or the run.
  /// `learns`: false for a network that is only loaded and asked (engine/nn/module.h).
  Experiment(const RunConfig& config, Fitted fitted, const std::string& source, bool learns = true);
  /// The network of a checkpoint (RUN/best.h5 where there is one, else RUN/last.h5; or a file), for
  /// prediction on `device`, in the run's own precision unless another is given. With bf16 the weights of its
  /// convolutions are held as bfloat16: half of the memory.
  static std::unique_ptr<Experiment> load(const std::filesystem::path& run, const std::string& device,
                                          std::optional<Precision> precision = {});

  const RunConfig& config() const { return config_; }
  /// The numbers that belong to the network, and, of load(), whatever else its checkpoint has.
  const Fitted& fitted() const { return fitted_; }
  Context& context() { return context_; }
  Module& network() { return *network_; }
  const CheckpointInfo& info() const { return info_; }  // of load()
  /// Input in, prediction, loss and metric out.
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
