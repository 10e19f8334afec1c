// Which files in its folder a training run may overwrite.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "engine/io/folder_lock.h"
#include "tools/train/arguments.h"

namespace umbra {

/// Throws Error if a file of the run in the folder `out` is also an input, or if a file that no run wrote would be
/// overwritten by a new run: only in a folder with the checkpoint of a run does --overwrite replace files.
void check_run_files(const TrainArguments& arguments, const std::filesystem::path& out, bool resume);
/// The same for the folder of an ensemble, of which only the configuration is written.
void check_ensemble_files(const TrainArguments& arguments);

/// Creates the folder `out` if there is none, admits no other process to it and removes what an interrupted write of
/// the files `names` left there. Throws Error if that is impossible.
std::unique_ptr<FolderLock> open_folder(const std::filesystem::path& out, std::span<const char* const> names);

/// Removes the best network of the run that --overwrite replaces, so that it is never taken for one of the new
/// run. The other files are replaced one by one.
void remove_best(const std::filesystem::path& out);

/// Throws Error if config.toml in the folder `out` differs from `of_run`, the configuration in its last.h5,
/// in a setting that --resume cannot change: the edit would be ignored and lost.
void check_edited_config(const std::filesystem::path& out, RunConfig of_run);

}  // namespace umbra
