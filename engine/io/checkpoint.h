// Checkpoint: a network, its optimiser and its place in training in one HDF5 file, enough to continue bit for
// bit.
//
//   /model/<name>       every parameter and buffer under its PyTorch name
//   /optimizer/<name>   moments, when the file was written to resume from
//   /transform/<name>   small vectors that belong to the network: input scales, label means and deviations
//   attributes of /:    step, optimizer_steps, best_metric, config (TOML text), umbra_version; names, where
//                       what the network puts out has some
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/nn/module.h"

namespace umbra {

struct CheckpointInfo {
  std::string config;  // the run's resolved configuration, TOML
  std::int64_t step = 0;
  std::int64_t optimizer_steps = 0;
  double best_metric = 0;  // best validation metric so far; meaningful when has_best
  bool has_best = false;
  std::map<std::string, std::vector<double>> transform = {};
  std::vector<std::string> names = {};  // of what the network puts out: classes or quantities; or none
};

/// Writes aside and renames into place. `optimizer` may be empty: then the file serves prediction only.
void write_checkpoint(const std::filesystem::path& path, const CheckpointInfo& info,
                      const std::vector<NamedTensor>& model, const std::vector<NamedTensor>& optimizer);

/// Everything but the tensors. Throws Error when the file is missing, damaged or not a checkpoint.
CheckpointInfo read_checkpoint_info(const std::filesystem::path& path);

/// Copies /model into `model`, and /optimizer into `optimizer` unless that is empty. Checks every name, shape
/// and dtype before the first number is touched: the checkpoint of another network is a sentence naming the
/// first tensor that differs. Floats come in parts, so that no tensor stands in memory twice; those that
/// `model` holds as bf16 are rounded.
void load_checkpoint(const std::filesystem::path& path, const std::vector<NamedTensor>& model,
                     const std::vector<NamedTensor>& optimizer);

}  // namespace umbra
