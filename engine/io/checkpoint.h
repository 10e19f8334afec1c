// Checkpoint: a network, its optimiser and its position in training in one HDF5 file, so that a resumed run
// gives bit-identical results.
//
//   /model/<name>       every parameter and buffer under its PyTorch name
//   /optimizer/<name>   moments, in files for resuming; without those of weights that only meet padding, which are zero:
//                       [a0, a1, positions], with the attribute positions (indices among the spatial positions)
//   /transform/<name>   small vectors that belong to the network: input scales, label means and deviations
//   attributes of /:    step, optimizer_steps, best_metric, best_step, config (TOML text), umbra_version, and,
//                       if the outputs of the network have names, names
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/nn/module.h"

namespace umbra {

/// The contents of a checkpoint besides tensors.
struct CheckpointInfo {
  std::string config;                ///< resolved configuration of the run, TOML
  std::int64_t step = 0;             ///< training steps taken
  std::int64_t optimizer_steps = 0;  ///< Optimizer::steps()
  double best_metric = 0;            ///< lowest validation metric so far; valid when has_best
  bool has_best = false;             ///< whether there has been a validation
  std::int64_t best_step = 0;        ///< of best_metric; -1 in last.h5 of releases that did not store it
  /// Vectors that belong to the network (input scales, label means and deviations), by name.
  std::map<std::string, std::vector<double>> transform = {};
  /// Names of the network's outputs (classes or quantities); may be empty.
  std::vector<std::string> names = {};
};

/// Writes a checkpoint through an AtomicFile. `optimizer` may be empty: such a file is for prediction only.
/// Throws Error naming the file when it cannot be written, and for tensors stored as bf16.
void write_checkpoint(const std::filesystem::path& path, const CheckpointInfo& info,
                      const std::vector<NamedTensor>& model, const std::vector<NamedTensor>& optimizer);

/// Reads everything but the tensors. Throws Error when the file is missing, damaged or not a checkpoint.
CheckpointInfo read_checkpoint_info(const std::filesystem::path& path);

/// Reads /model into `model`, and /optimizer into `optimizer` unless that is empty. All names and shapes are
/// checked before any value is written: for the checkpoint of another network, throws Error naming the first
/// tensor that differs. Floats are read in parts, so that no tensor is held in memory twice. They are rounded
/// for tensors that `model` stores as bf16.
void load_checkpoint(const std::filesystem::path& path, const std::vector<NamedTensor>& model,
                     const std::vector<NamedTensor>& optimizer);

}  // namespace umbra
