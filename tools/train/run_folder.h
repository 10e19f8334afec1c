// Which files in its folder a training run may overwrite.
#pragma once

#include <filesystem>

#include "tools/train/arguments.h"

namespace umbra {

/// Throws Error if a file of the run is also an input, or if a file that no run wrote would be overwritten.
void check_run_files(const TrainArguments& arguments);

/// Throws Error if config.toml in the folder `out` differs from `of_run`, the configuration in its last.h5,
/// in a setting that --resume cannot change: the edit would be ignored and lost.
void check_edited_config(const std::filesystem::path& out, RunConfig of_run);

}  // namespace umbra
