#include "tools/train/arguments.h"

#include <algorithm>
#include <filesystem>

#include "engine/base/listed.h"
#include "engine/io/checkpoint.h"
#include "engine/io/config_text.h"
#include "engine/io/setting_names.h"
#include "tools/common/command_line.h"
#include "tools/common/ensemble.h"

namespace umbra {

namespace fs = std::filesystem;

namespace {

// Whether an assignment leaves a setting that --resume must keep to the program, as that has decided it at the start.
bool keeps_choice(const Config& config, const std::string& assignment) {
  return std::any_of(config.settings().begin(), config.settings().end(), [&](const Setting& setting) {
    return may_be_auto(setting) && !setting.may_change && assignment == setting.key + "=" + kAuto;
  });
}

// Changes settings of the run that is resumed. Throws Error if one of `assignments` gives another value to a setting that
// --resume must keep; the value that it has, or auto, may be repeated.
void change(Config& config, const std::vector<std::string>& assignments) {
  for (const std::string& assignment : assignments) {
    if (keeps_choice(config, assignment)) continue;
    const std::string before = config.dump(/*all=*/false);
    config.set({assignment});
    if (config.dump(false) == before) continue;
    std::string can;
    for (const Setting& setting : config.settings())
      if (setting.may_change) can += (can.empty() ? "" : ", ") + setting.key;
    fail("--resume continues with the settings of the run; ", assignment.substr(0, assignment.find('=')),
         " cannot be changed (", can, " can)");
  }
}

// Sets the task and the model that --data and the settings choose, which other settings depend on.
void choose(RunConfig& config, const TrainArguments& arguments) {
  std::vector<std::string> choices;
  for (const std::string& setting : arguments.settings)
    if (setting.starts_with("task=") || setting.starts_with("model.name=")) choices.push_back(setting);
  if (!arguments.data.empty()) config.choose_task(task_of_file(arguments.data), arguments.data);
  config.bind().set(choices);
}

}  // namespace

RunConfig resolve(const TrainArguments& arguments) {
  RunConfig config;
  if (!arguments.resume && !arguments.data.empty())
    config.choose_task(task_of_file(arguments.data), arguments.data);
  Config binding = config.bind();
  if (arguments.resume) {
    const fs::path out = arguments.out, last = out / "last.h5";
    const bool ensemble = holds_ensemble(out);
    require(ensemble || fs::exists(last), last.string(), ": no checkpoint to resume from",
            fs::exists(member_folder(out, 1) / "last.h5")
                ? concat("; ", member_folder(out, 1).string(), " is a run, but ",
                         (out / "config.toml").string(), " is not the configuration of an ensemble")
                : "");
    require(arguments.config.empty(),
            "--resume continues with the configuration of the run; --config cannot change it");
    require(arguments.weights.empty(),
            "--resume continues with the weights of the run; --weights cannot change them");
    if (ensemble)
      binding.read_file(out / "config.toml");
    else
      binding.read_text(read_checkpoint_info(last).config, last.string() + ", attribute config");
    change(binding, arguments.settings);
  } else {
    if (!arguments.config.empty()) binding.read_file(arguments.config);
    binding.set(arguments.settings);
  }
  config.check();
  require(arguments.resume || config.new_layers.empty() || !arguments.weights.empty(),
          "train.new_layers=", listed(config.new_layers, ""), " has no effect without --weights");
  return config;
}

std::string settings_help(const TrainArguments& arguments) {
  RunConfig config;
  std::string wrong;
  try {
    choose(config, arguments);
  } catch (const Error& error) {
    wrong = concat("(", error.what(), ")\n");
  }
  return concat(wrong, "settings of task=", config.task->name(), " and model.name=", config.model->name(),
                ", with their defaults:\n", config.bind().help());
}

std::string setting_meant(const TrainArguments& arguments, const std::string& word, Spelling spelling) {
  RunConfig config;
  try {
    choose(config, arguments);
  } catch (const Error&) {  // a word can also be guessed from the default settings
  }
  const Config binding = config.bind();
  return spelling == Spelling::kOtherName ? key_named(word, binding.settings())
                                          : nearest_key(word, binding.settings());
}

std::string how_to_continue(const TrainArguments& arguments, int processes) {
  std::string command = processes == 1 ? "continue with: " : "continue, in any number of processes, with: ";
  command += shell_word(arguments.program) + " --data " + shell_word(arguments.data) + " --out " +
             shell_word(arguments.out) + " --resume";
  if (arguments.overfit) command += " --overfit";
  if (arguments.profile) command += " --profile";
  return command;
}

}  // namespace umbra
