// predict: the predictions of a trained network for the data in a file. Each task has its own files
// (tasks.h).
#include "tools/common/command_line.h"
#include "tools/common/stage_line.h"
#include "tools/predict/tasks.h"

namespace umbra {
namespace {

struct OfTask {
  std::string_view name;
  void (*predict)(const PredictArguments&, const Networks&);
};
constexpr OfTask kTasks[] = {
#define TASK(name) {#name, predict_##name},
#include "models/tasks/tasks.def"
#undef TASK
};

void run(PredictArguments arguments) {
  StageLine line;
  arguments.progress = line.report();
  const Networks networks = load_networks(arguments.run, arguments.device, arguments.precision);
  check_writable(arguments.out, inputs_of(arguments.run, {{"--data", arguments.data}}), arguments.overwrite);
  check_kind(arguments.run, *networks.front()->config().task, arguments.data);
  for (const OfTask& task : kTasks) {
    if (task.name == networks.front()->config().task->name()) task.predict(arguments, networks);
  }
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::PredictArguments arguments;
  umbra::ToolApp app(
      "Predict what a network was trained for: the stellar mass function of every sub-box of a catalog, or "
      "the class or the values of every sample of a data set.",
      "predict");
  app.add_option("--run", arguments.run, "folder written by train (a run or an ensemble), or a checkpoint")
      ->required();
  app.add_option(
         "--data", arguments.data,
         "catalog (stellar masses are not needed), or data set with /inputs (HDF5); or a folder of images")
      ->required();
  app.add_option(
         "--out", arguments.out,
         "predictions, HDF5; for a catalog: smf_predicted, smf_true, box, validation; for a data set: "
         "see docs/files.md, or CSV if the name ends in .csv")
      ->required();
  umbra::add_overwrite(app, arguments.overwrite);
  app.add_option("--device", arguments.device, "auto, cpu, cuda or cuda:N");
  app.add_option_function<std::string>(
         "--precision", [&](const std::string& name) { arguments.precision = umbra::precision_named(name); },
         "fp32, tf32 (fast on GPUs), or bf16: half the memory, faster on GPUs and on CPUs with bf16 dot "
         "products; default: as trained")
      ->check(umbra::one_of({"fp32", "tf32", "bf16"}));
  return umbra::run_tool(app, argc, argv, [&] { umbra::run(arguments); });
}
