// The descriptions of runs and of their files.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "engine/io/config_text.h"
#include "engine/io/text_reader.h"
#include "tools/common/ensemble.h"
#include "tools/common/experiment.h"
#include "tools/common/tool.h"
#include "tools/info/kinds.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// The last line of validation in metrics.csv as "epoch 60, step 1500, loss 42.9, chi2 42.9"; what only a step of
// training has is left out.
std::string last_validation(const fs::path& metrics) {
  std::ifstream in(metrics);
  std::string names, line, last;
  std::getline(in, names);
  while (std::getline(in, line))
    if (line.find(",validation,") != std::string::npos) last = line;
  std::istringstream keys(names), values(last);
  std::string key, value, text;
  while (std::getline(keys, key, ',') && std::getline(values, value, ','))
    if (key != "split" && key != "seconds" && key != "lr" && key != "grad_norm" && !value.empty())
      text += concat(text.empty() ? "" : ", ", key, " ", value);
  return text;
}

std::string network_line(const RunConfig& config) {
  return concat("task ", config.task->name(), ", model ", config.model->label(), ", precision ",
                std::string(name_of(config.precision)));
}

// "60 epochs, batch 32, learning rate 0.003, seed 1"
std::string training_line(const RunConfig& config) {
  return concat(config.epochs, " epochs, batch ",
                config.batch.number ? concat(*config.batch.number) : std::string(kAuto), ", learning rate ",
                config.learning_rate, ", seed ", config.seed);
}

std::vector<std::string> lines_of(const CheckpointInfo& info, const fs::path& file) {
  RunConfig config;
  config.bind().read_text(info.config, file.string() + ", attribute config");
  std::vector<std::string> lines = {network_line(config),
                                    concat("step ", info.step, " of a run of ", training_line(config))};
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

std::optional<Description> describe_ensemble(const FileLook& file) {
  if (file.content() != Content::kFolder || !holds_ensemble(file.path())) return std::nullopt;
  const fs::path settings = file.path() / "config.toml";
  if (!fs::exists(settings)) return std::nullopt;
  RunConfig config;
  config.bind().read_file(settings);
  const std::string run = shell_word(file.path().string());
  Description text{
      concat("the folder of an ensemble of ", config.seeds, " runs, seed-1 to seed-", config.seeds)};
  text.lines = {network_line(config), training_line(config)};
  std::int64_t trained = 0;
  for (std::int64_t member = 1; member <= config.seeds; ++member) {
    const fs::path folder = member_folder(file.path(), member);
    trained += fs::exists(folder / "best.safetensors") ? 1 : 0;
    const std::string validation = last_validation(folder / "metrics.csv");
    text.lines.push_back(
        concat(folder.filename().string(), ", last validation: ", validation.empty() ? "none" : validation));
  }
  if (trained == config.seeds) {
    add_commands(text, run);
  } else {
    text.lines.push_back(concat("trained to the end: ", trained, " of ", config.seeds));
    text.next.push_back(concat("train --resume --data FILE --out ", run));
  }
  return text;
}

std::optional<Description> describe_config(const FileLook& file) {
  if (file.content() != Content::kText || !first_bytes(file.path(), 16).starts_with("format_version ="))
    return std::nullopt;
  RunConfig config;
  config.bind().read_file(file.path());
  Description text{config.seeds > 1 ? "the settings of an ensemble" : "the settings of a run"};
  text.lines = {network_line(config), training_line(config)};
  if (config.seeds > 1) text.lines.push_back(concat("seeds: ", config.seeds));
  text.next.push_back(concat("train --config ", shell_word(file.path().string()), " --data FILE --out run"));
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

std::string settings_of_network(const std::string& config) {
  RunConfig wanted, usual;
  try {
    wanted.bind().read_text(config, "config");
    usual.bind().set({concat("task=", wanted.task->name()), concat("model.name=", wanted.model->name())});
  } catch (const Error&) {  // of a newer umbra or of another program
    return "";
  }
  const Config all = wanted.bind(), defaults = usual.bind();
  std::string words =
      usual.task->name() == RunConfig().task->name() ? "" : concat(" task=", usual.task->name());
  if (wanted.model->name() != RunConfig().model->name())  // that of a data set depends on the data
    words += concat(" model.name=", wanted.model->name());
  for (std::size_t i = 0; i < all.settings().size(); ++i) {
    const Setting& setting = all.settings()[i];
    const bool shapes = setting.key.starts_with("model.") || setting.key == "data.features" ||
                        setting.key == "data.voxels" || setting.key == "data.smf_bins";
    std::string value = toml_of(setting);
    if (!shapes || setting.key == "model.name" || value == toml_of(defaults.settings()[i])) continue;
    if (is_list(setting))  // on a command line lists need no brackets and strings no quotes
      std::erase_if(value, [](char c) { return std::string_view("[]' ").find(c) != std::string_view::npos; });
    const auto* const* string = std::get_if<std::string*>(&setting.value);
    words += " " + shell_word(concat(setting.key, "=", string == nullptr ? value : **string));
  }
  return words;
}

}  // namespace umbra
