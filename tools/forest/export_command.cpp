// forest export: trees as text for people or LightGBM.
#include <iostream>
#include <memory>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "tools/forest/commands.h"
#include "tools/forest/export.h"

namespace umbra {
namespace {

struct ExportArguments {
  std::string model, out, format = "json";
  std::int64_t trees = 0;
  bool overwrite = false;
};

void export_forest(const ExportArguments& arguments) {
  check_writable(arguments.out, {{"--model", arguments.model}}, arguments.overwrite);
  ForestModel model = read_forest(arguments.model);
  Forest& forest = model.forest;
  require(arguments.trees <= forest.options.trees, arguments.model, ": ", arguments.trees,
          " trees were requested, but the forest has ", forest.options.trees);
  if (arguments.trees > 0) forest.trees.resize(static_cast<std::size_t>(arguments.trees));
  const std::string target = model.target == ForestTarget::kLog10 ? "log10 M*/Msun" : "M*/Msun";
  std::string text;
  try {
    text = arguments.format == "json" ? forest_json(forest, target) : forest_lightgbm(forest);
  } catch (const Error& error) {
    fail(arguments.model, ": ", error.what());
  }
  write_text_file(arguments.out, text);
  std::cout << forest.trees.size() << " trees that predict " << target << "; wrote " << arguments.out << '\n';
}

}  // namespace

void add_export_command(ToolApp& app, RunCommand& run) {
  const auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = add_command(app, "export", "write a forest for other programs");
  command->add_option("--model", arguments->model, "model written by forest fit")->required();
  command->add_option("--out", arguments->out, "the file to write")->required();
  add_overwrite(*command, arguments->overwrite);
  command
      ->add_option(
          "--format", arguments->format,
          "json: nested nodes in scikit-learn's terms, for reading; lightgbm: a model file of LightGBM 4")
      ->check(one_of({"json", "lightgbm"}));
  command->add_option("--trees", arguments->trees, "use only the first N trees; 0: all")
      ->check(CLI::Range(std::int64_t{0}, kMostTrees));
  command->callback(
      [&run, arguments] { run = in_first_process([arguments] { export_forest(*arguments); }); });
}

}  // namespace umbra
