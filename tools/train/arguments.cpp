#include "tools/train/arguments.h"

#include <filesystem>

#include "engine/io/checkpoint.h"
#include "tools/common/tool.h"

namespace umbra {

namespace fs = std::filesystem;

RunConfig resolve(const TrainArguments& arguments) {
  RunConfig config;
  Config binding = config.bind();
  if (arguments.resume) {
    const fs::path last = fs::path(arguments.out) / "last.h5";
    require(fs::exists(last), last.string(), ": no checkpoint to resume from");
    require(arguments.config.empty(),
            "--resume continues with the configuration of the run; --config cannot change it");
    require(arguments.weights.empty(),
            "--resume continues with the weights of the run; --weights cannot change them");
    binding.read_text(read_checkpoint_info(last).config, last.string() + ", attribute config");
  }
  if (!arguments.config.empty()) binding.read_file(arguments.config);
  for (const std::string& setting : arguments.settings) {
    const std::string key = setting.substr(0, setting.find('='));
    const bool harmless = key == "train.epochs" || key == "train.checkpoint_steps" ||
                          key == "train.nan_guard" || key == "train.graph" || key == "device" ||
                          key == "kernels";
    require(!arguments.resume || harmless, "--resume continues with the settings of the run; ", key,
            " cannot be changed (train.epochs, train.checkpoint_steps, train.nan_guard, train.graph, device "
            "and kernels "
            "can)");
    binding.set(setting);
  }
  config.check();
  return config;
}

std::string resume_command(const TrainArguments& arguments) {
  std::string command = shell_word(arguments.program) + " --data " + shell_word(arguments.data) + " --out " +
                        shell_word(arguments.out) + " --resume";
  if (arguments.overfit) command += " --overfit";
  if (arguments.profile) command += " --profile";
  return command;
}

}  // namespace umbra
