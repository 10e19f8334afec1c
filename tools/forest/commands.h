// The subcommands of the tool `forest`. Each add_..._command() adds one to the command line; when it is
// parsed, it sets `run` to its action.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/base/setting.h"
#include "engine/dist/communicator.h"
#include "tools/common/command_line.h"
#include "tools/common/forest_data.h"
#include "tools/common/forest_file.h"

namespace umbra {

/// What a command does in the processes that were started together.
using RunCommand = std::function<void(Communicator&)>;
/// For commands that use one process; the others wait.
RunCommand in_first_process(std::function<void()> command);

void add_fit_command(ToolApp& app, RunCommand& run);
void add_search_command(ToolApp& app, RunCommand& run);
void add_predict_command(ToolApp& app, RunCommand& run);
void add_importance_command(ToolApp& app, RunCommand& run);
void add_export_command(ToolApp& app, RunCommand& run);

// ---- shared by the commands that learn ----

/// The catalog, columns and rows that a forest learns from.
struct ForestLearning {
  std::string data, run, target = "log10", split = "boxes";
  std::vector<std::string> settings;  // data.folds=N data.fold=K
  std::vector<std::string> features;
  double min_vpeak = 150, train_fraction = 0.8;
  Auto<double> subbox_size;
  std::uint64_t split_seed = 1;
};
void add_learning_options(CLI::App& command, ForestLearning& learning);
/// The files that are read, for check_writable().
std::vector<InputFile> inputs_of(const ForestLearning& learning);

/// A subcommand with --help as its only option; defaults are shown.
CLI::App* add_command(ToolApp& app, const std::string& name, const std::string& what);
/// Rejects negative numbers: CLI11 would wrap -1 to the largest number.
std::string not_negative(const std::string& text);

/// The galaxies of learning.data, the ones to train on, and a model without trees that records its origin.
/// Throws Error if there is nothing to learn.
struct ForestTraining {
  ForestHalos halos;
  std::vector<std::uint8_t> training;  // [row]
  std::vector<double> target;          // [row]
  ForestModel model;
};
ForestTraining read_training(const ForestLearning& learning);

/// "0.98765", or "undefined" for a NaN: R^2 of a constant target that was not predicted exactly, or without
/// any row.
std::string score_text(double score);

}  // namespace umbra
