// evaluate: compares trained networks with baselines on samples they were not trained on. Each task has its
// own scores (tasks.h).
#include "tools/common/command_line.h"
#include "tools/common/stage_line.h"
#include "tools/evaluate/tasks.h"

namespace umbra {
namespace {

struct OfTask {
  std::string_view name;
  void (*evaluate)(const EvaluateArguments&);
};
constexpr OfTask kTasks[] = {
#define TASK(name) {#name, evaluate_##name},
#include "models/tasks/tasks.def"
#undef TASK
};

void run(EvaluateArguments arguments) {
  if (!arguments.pool.empty()) return pool_smf(arguments);
  StageLine line;
  arguments.progress = line.report();
  std::vector<InputFile> inputs{{"--data", arguments.data}};
  for (const std::string& forest : arguments.forests) inputs.push_back({"--forest", forest});
  for (const std::string& run : arguments.runs) inputs = inputs_of(run, inputs);
  check_writable(arguments.out, inputs, arguments.overwrite);
  const std::string first(config_of_run(arguments.runs.front()).task->name());
  for (const std::string& run : arguments.runs) {
    const std::string name(config_of_run(run).task->name());
    require(name == first, run, ": this run has task=", name, ", but ", arguments.runs.front(),
            " has task=", first, "; only runs of the same task can be compared");
  }
  check_kind(arguments.runs.front(), *config_of_run(arguments.runs.front()).task, arguments.data);
  for (const OfTask& task : kTasks) {
    if (task.name == first) task.evaluate(arguments);
  }
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::EvaluateArguments arguments;
  umbra::ToolApp app(
      "Score trained networks, forests and baselines on the validation or test samples of a file.",
      "evaluate");
  std::string epoch = "best";
  CLI::Option* data = app.add_option("--data", arguments.data,
                                     "the catalog, data set or folder of images the runs were trained on");
  CLI::Option* runs = app.add_option("--run", arguments.runs, "folders written by train: runs or ensembles");
  CLI::Option* forests = app.add_option(
      "--forest", arguments.forests,
      "models written by forest fit with the split of the runs; three mass functions each (catalogs only)");
  app.add_option("--out", arguments.out, "the result (JSON)")->required();
  umbra::add_overwrite(app, arguments.overwrite);
  app.add_option("--reference", arguments.reference,
                 "the model that others are compared with box by box: its name in the table or the folder of "
                 "its run; default: the best baseline (catalogs only)");
  CLI::Option* oracle = app.add_flag(
      "--oracle", arguments.oracle,
      "also score what vpeak alone says: the expected mass function given the vpeak of every halo, and "
      "given voxels of vpeak (catalogs only)");
  CLI::Option* of_training =
      app.add_option(
             "--epoch", epoch,
             "of the training of each run: best, chosen on the validation samples, or last, which has not "
             "seen them")
          ->check(umbra::one_of({"best", "last"}));
  CLI::Option* split =
      app.add_option(
             "--split", arguments.split,
             "the samples to score: validation, or test, which neither trained nor chose an epoch (data sets only)")
          ->check(umbra::one_of({"validation", "test"}));
  app.add_option(
         "--pool", arguments.pool,
         "instead of --data and --run: results of this tool on the folds of a cross-validation, which "
         "become one result over all boxes. Rows are joined by name; the number after 'fold' in a "
         "name does not count (catalogs only)")
      ->excludes(data)
      ->excludes(runs)
      ->excludes(forests)
      ->excludes(oracle)
      ->excludes(of_training)
      ->excludes(split);
  app.add_option("--device", arguments.device, "auto, cpu, cuda or cuda:N");
  app.final_callback([&] {
    if (!arguments.pool.empty()) return;
    if (arguments.data.empty()) throw CLI::RequiredError("--data");
    if (arguments.runs.empty()) throw CLI::RequiredError("--run");
  });
  return umbra::run_tool(app, argc, argv, [&] {
    arguments.epoch = epoch == "last" ? umbra::Epoch::kLast : umbra::Epoch::kBest;
    umbra::run(arguments);
  });
}
