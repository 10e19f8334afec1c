// The descriptions of runs and of their files.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "engine/io/text_reader.h"
#include "tools/common/experiment.h"
#include "tools/common/tool.h"
#include "tools/info/kinds.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// The last line of metrics.csv as "epoch 60, step 1500, validation: loss 42.9, chi2 42.9".
std::string last_validation(const fs::path& metrics) {
  std::ifstream in(metrics);
  std::string names, line, last;
  std::getline(in, names);
  while (std::getline(in, line))
    if (line.find(",validation,") != std::string::npos) last = line;
  std::istringstream keys(names), values(last);
  std::string key, value, text;
  while (std::getline(keys, key, ',') && std::getline(values, value, ','))
    if (key != "split" && key != "seconds" && !value.empty())
      text += concat(text.empty() ? "" : ", ", key, " ", value);
  return text;
}

std::vector<std::string> lines_of(const CheckpointInfo& info, const fs::path& file) {
  RunConfig config;
  config.bind().read_text(info.config, file.string() + ", attribute config");
  std::vector<std::string> lines = {
      concat("task ", config.task->name(), ", model ", config.model->label(), ", precision ",
             std::string(name_of(config.precision))),
      concat("step ", info.step, " of a run of ", config.epochs, " epochs, batch ",
             config.batch.number.value_or(RunConfig::kUsualBatch), ", learning rate ", config.learning_rate,
             ", seed ", config.seed)};
  if (info.has_best)
    lines.push_back(concat("best validation ", config.task->metric(info.transform), ": ", info.best_metric));
  if (!info.names.empty()) {
    std::string names;
    for (const std::string& name : info.names) names += " " + name;
    lines.push_back("outputs:" + names);
  }
  return lines;
}

void add_commands(Description& text, const std::string& run) {
  text.next.push_back(concat("predict --run ", run, " --data FILE --out predictions.h5"));
  text.next.push_back(concat("evaluate --run ", run, " --data FILE --out evaluation.json"));
}

}  // namespace

std::optional<Description> describe_run(const FileLook& file) {
  if (file.content() != Content::kFolder) return std::nullopt;
  const fs::path best = file.path() / "best.h5", last = file.path() / "last.h5";
  const bool has_best = fs::exists(best), has_last = fs::exists(last);
  if (!has_best && !has_last) return std::nullopt;
  Description text{concat("the folder of a run with ", has_best ? "best.h5" : "",
                          has_best && has_last ? " and " : "", has_last ? "last.h5" : "")};
  text.lines = lines_of(read_checkpoint_info(has_last ? last : best), has_last ? last : best);
  const std::string validation = last_validation(file.path() / "metrics.csv");
  if (!validation.empty()) text.lines.push_back("last validation: " + validation);
  add_commands(text, shell_word(file.path().string()));
  return text;
}

std::optional<Description> describe_checkpoint(const FileLook& file) {
  if (!file.has_objects({"model"}) || !file.hdf5()->has_attribute("/", "config")) return std::nullopt;
  Description text{file.hdf5()->has_group("optimizer")
                       ? "a checkpoint to resume from, with weights and optimizer"
                       : "a checkpoint for predictions, with weights"};
  text.lines = lines_of(read_checkpoint_info(file.path()), file.path());
  std::int64_t numbers = 0, tensors = 0;
  for (const Hdf5Entry& entry : file.hdf5()->list("model")) {
    numbers += entry.shape.count();
    ++tensors;
  }
  text.lines.push_back(concat(tensors, " tensors of ", numbers, " numbers"));
  add_commands(text, shell_word(file.path().string()));
  return text;
}

std::optional<Description> describe_metrics(const FileLook& file) {
  if (!file.has_names({"epoch", "step", "split", "loss", "seconds"})) return std::nullopt;
  Description text{"the metrics of a run, a row per step and per epoch"};
  text.lines.push_back("last validation: " + last_validation(file.path()));
  const fs::path folder = file.path().parent_path();
  text.next.push_back(concat("python3 tools/plot.py loss --run ",
                             shell_word(folder.empty() ? "." : folder.string()), " --out loss"));
  return text;
}

}  // namespace umbra
