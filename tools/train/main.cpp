// train: trains a network on a task and a data file. See --help and docs/training.md.
#include <iostream>

#include "engine/dist/launch.h"
#include "tools/common/command_line.h"
#include "tools/common/processes.h"
#include "tools/train/dry_run.h"
#include "tools/train/folds_file.h"
#include "tools/train/train.h"

int main(int argc, char** argv) {
  umbra::TrainArguments arguments;
  arguments.program = argv[0];
  std::string folds;
  umbra::ToolApp app(
      "Train a network on a catalog of halos and galaxies, on a data set of inputs and targets, or on a folder of images.",
      "train");
  app.add_option(
      "--data", arguments.data,
      "catalog with stellar masses, or data set with /inputs and /targets (HDF5); or a folder of JPEG and PNG files with a "
      "table of labels (CSV)");
  app.add_option(
      "--out", arguments.out,
      "folder of the run: config.toml, baselines.json, metrics.csv, last.h5, best.h5, best.safetensors");
  app.add_option("--config", arguments.config, "TOML file with settings; models/configs contains four");
  app.add_option("--weights", arguments.weights, "start from these weights (safetensors, PyTorch names)");
  app.add_option("settings", arguments.settings, "key=value, after the configuration file");
  CLI::Option* resume =
      app.add_flag("--resume", arguments.resume, "continue the run in --out from its last checkpoint");
  umbra::add_overwrite(app, arguments.overwrite, "the run in --out")->excludes(resume);
  app.add_flag("--overfit", arguments.overfit, "memorise a single batch: a check that learning works");
  app.add_flag("--dry-run", arguments.dry_run, "print shapes, parameters, memory and work, and stop");
  app.add_option("--write-folds", folds,
                 "write the fold of every sub-box of --data for data.folds (JSON), and stop");
  app.add_flag("--profile", arguments.profile, "print the cost of every op at the end");
  app.final_callback([&] {  // an error of the command line, not of the input
    if (!arguments.dry_run && arguments.data.empty()) throw CLI::RequiredError("--data");
    if (!arguments.dry_run && folds.empty() && arguments.out.empty()) throw CLI::RequiredError("--out");
  });
  app.setting_meant = [&](const std::string& word, umbra::Spelling spelling) {
    return umbra::setting_meant(arguments, word, spelling);
  };
  app.rank = umbra::launched().rank;
  app.footer([&] { return umbra::settings_help(arguments); });
  return umbra::run_tool(app, argc, argv, [&] {
    umbra::run_processes("train", app.arguments, [&](umbra::Communicator& world) {
      if (!folds.empty())
        umbra::first_process(world, [&] { umbra::write_folds(arguments, folds); });
      else if (arguments.dry_run)
        umbra::first_process(world,
                             [&] { std::cout << umbra::dry_run(umbra::resolve(arguments), arguments); });
      else
        umbra::train(arguments, world);
    });
  });
}
