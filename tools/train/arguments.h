// The command line of train, and the configuration it comes to.
#pragma once

#include <string>
#include <vector>

#include "tools/common/run_config.h"

namespace umbra {

struct TrainArguments {
  std::string program, data, out, config, weights;
  std::vector<std::string> settings;
  bool resume = false, overfit = false, dry_run = false, profile = false;
};

/// The configuration of the run in --out when it is resumed, --config, then the settings, one over the other.
/// Throws Error when they contradict one another or --resume cannot change what they say.
RunConfig resolve(const TrainArguments& arguments);

/// Every setting with its default: those of the task and the model that --data and the settings choose.
std::string settings_help(const TrainArguments& arguments);

/// What a shell takes to go on with a run.
std::string resume_command(const TrainArguments& arguments);

}  // namespace umbra
