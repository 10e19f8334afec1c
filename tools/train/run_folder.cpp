#include "tools/train/run_folder.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <span>
#include <sstream>

#include "engine/train/checkpointer.h"
#include "tools/common/ensemble.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// Whether train wrote this configuration: it begins with the first setting, as written by dump(), which since
// 2026 follows the version.
bool is_of_a_run(const fs::path& config) {
  std::ifstream stream(config);
  std::string line;
  std::getline(stream, line);
  if (line.starts_with("format_version = ")) std::getline(stream, line);
  RunConfig defaults;
  std::istringstream settings(defaults.bind().dump());
  std::string first;
  while (std::getline(settings, first) && first.starts_with("format_version")) continue;
  const auto comment = [](const std::string& text) {
    return text.substr(std::min(text.find("  # "), text.size()));
  };
  return !line.empty() && !comment(line).empty() && comment(line) == comment(first);
}

void check_files(const TrainArguments& arguments, const fs::path& out, std::span<const char* const> names,
                 const std::string& because, bool resume) {
  std::vector<InputFile> inputs{{"--data", arguments.data}};
  if (!arguments.config.empty()) inputs.push_back({"--config", arguments.config});
  if (!arguments.weights.empty()) inputs.push_back({"--weights", arguments.weights});
  for (const char* name : names) refuse_input_as_output(out / name, inputs);
  if (resume) return;
  if (arguments.overwrite && fs::exists(out / "last.h5")) {
    read_checkpoint_info(out / "last.h5");  // throws Error if train did not write it
    return;
  }
  for (const char* name : names) {
    // A run that was killed before its first checkpoint leaves only the configuration.
    const bool remains = name == std::string_view("config.toml") && is_of_a_run(out / name);
    require(remains || !fs::exists(fs::symlink_status(out / name)), out.string(), ": the folder contains ",
            name, because, "; ", name, " would be lost, so choose another folder");
  }
}

}  // namespace

void check_run_files(const TrainArguments& arguments, const fs::path& out, bool resume) {
  check_files(arguments, out, kRunFiles, " but no last.h5 to resume from", resume);
}

void check_ensemble_files(const TrainArguments& arguments) {
  check_files(arguments, arguments.out, kEnsembleFiles, ", which train did not write", arguments.resume);
}

std::unique_ptr<FolderLock> open_folder(const fs::path& out, std::span<const char* const> names) {
  std::error_code status;
  fs::create_directories(out, status);
  require(!status && fs::is_directory(out), out.string(), ": the folder cannot be created",
          status ? ": " + status.message() : "");
  auto lock = std::make_unique<FolderLock>(out);
  remove_leftovers(out, names);
  const std::string next = next_best(out).filename().string();
  remove_leftovers(out, std::array{next.c_str()});
  return lock;
}

void remove_best(const fs::path& out) {
  for (const fs::path& file : {next_best(out), out / "best.h5", out / "best.safetensors"}) {
    std::error_code problem;
    fs::remove(fs::weakly_canonical(file), problem);  // a link stays, as for every output
    require(!problem, "cannot replace '", file.string(), "': ", problem.message());
  }
}

void check_edited_config(const fs::path& out, RunConfig of_run) {
  const fs::path file = out / "config.toml";
  if (!fs::exists(file)) return;
  RunConfig edited;
  edited.bind().read_file(file);
  require(edited.bind().dump(false) == of_run.bind().dump(false), file.string(),
          ": the file was changed after the run started; --resume continues with the settings in last.h5, so "
          "restore or remove the file");
}

}  // namespace umbra
