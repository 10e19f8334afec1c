// The command line of train, and the resulting configuration.
#pragma once

#include <string>
#include <vector>

#include "tools/common/run_config.h"
#include "tools/common/tool.h"

namespace umbra {

struct TrainArguments {
  std::string program, data, out, config, weights;
  std::vector<std::string> settings;
  bool resume = false, overwrite = false, overfit = false, dry_run = false, profile = false;
};

/// The configuration of the run in --out if it is resumed, overridden by --config, overridden by the
/// settings. Throws Error if they contradict one another or --resume cannot change a setting.
RunConfig resolve(const TrainArguments& arguments);

/// Every setting with its default: those of the task and the model that --data and the settings choose.
std::string settings_help(const TrainArguments& arguments);

/// The setting that a word means, for ToolApp.
std::string setting_meant(const TrainArguments& arguments, const std::string& word, Spelling spelling);

/// What to do to continue a run of so many processes: "continue with: " and a shell command.
std::string how_to_continue(const TrainArguments& arguments, int processes);

}  // namespace umbra
