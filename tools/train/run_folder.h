// What a training run may write over in its folder, and what it may not.
#pragma once

#include <filesystem>

#include "tools/train/arguments.h"

namespace umbra {

/// Throws Error when a file of the run is an input, or one that is not of a run would be written over.
void check_run_files(const TrainArguments& arguments);

/// Throws Error when config.toml in the folder `out` says something else than `of_run`, the configuration in
/// its last.h5, of what --resume may not change: the edit would be ignored, and lost.
void check_edited_config(const std::filesystem::path& out, RunConfig of_run);

}  // namespace umbra
