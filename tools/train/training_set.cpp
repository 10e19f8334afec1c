#include "tools/train/training_set.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/io/format_version.h"
#include "tools/common/reading_line.h"
#include "tools/common/stage_line.h"

namespace umbra {
namespace {

// With a line if it takes long: on a terminal how far it is, and in the output of the training which file it is.
std::unique_ptr<TrainingData> read_data(Task& task, const TrainArguments& arguments) {
  const ReadingLine reading(arguments.data, stdout);
  StageLine stage;
  task.keep_files_next_to(arguments.out);
  return task.read(arguments.data, stage.report());
}

}  // namespace

TrainingSet::TrainingSet(const TrainArguments& arguments, const RunConfig& config,
                         const std::optional<Fitted>& of_run, int processes)
    : arguments_(arguments),
      config_(config),
      data_(read_data(*config_.task, arguments)),
      notes_(data_->notes()) {
  choose_batch(processes);
  if (arguments.overfit) keep_one_batch();
  fingerprint_ = data_->fingerprint();
  baselines_ = data_->baselines();
  if (!of_run) config_.task->keep_choices(*data_);
  fitted_ = of_run ? *of_run : data_->fit();
  data_->scale(fitted_);
}

// Throws Error, with the setting to add, if the batch that the user chose does not suit the data.
void TrainingSet::choose_batch(std::int64_t processes) {
  const auto samples = static_cast<std::int64_t>(data_->split().train.size());
  const std::string training = concat(" training ", config_.task->words().unit);
  require(samples >= 2, arguments_.data,
          ": there is only one sample to train on, but at least two are needed");
  const std::int64_t batch = config_.batch.number.value_or(RunConfig::batch_for(samples));
  if (!config_.batch.number && batch != RunConfig::kUsualBatch)
    notes_.push_back(concat("train.batch=", batch, ": there are ", samples, training));
  require(arguments_.overfit || !config_.drop_last || batch <= samples, arguments_.data,
          ": train.batch=", batch, " is more than the ", samples, training,
          "; add train.batch=", RunConfig::batch_for(samples));
  require(arguments_.overfit || config_.drop_last || samples % batch != 1, samples, training,
          " leave a last batch of one for train.batch=", batch,
          ", for which batch norm has no statistics; change train.batch or add train.drop_last=true");
  std::int64_t last = config_.drop_last || samples % batch == 0 ? batch : samples % batch;
  if (arguments_.overfit) last = std::min(batch, samples);
  if (processes > 1) check_shares(batch, last, processes);
  config_.batch.number = batch;
}

// Throws Error unless every process gets two samples of every batch, which batch norm needs; `last` is the smallest one.
void TrainingSet::check_shares(std::int64_t batch, std::int64_t last, std::int64_t processes) const {
  const std::string samples = concat(" training ", config_.task->words().unit);
  const std::string what = last == batch ? concat(" is less than two", samples)
                                         : concat(" leaves a last batch of ", last, " of the ",
                                                  data_->split().train.size(), samples, ", less than two");
  const std::string fewer = last < 4 ? "one process" : concat("at most ", last / 2, " processes");
  const std::string more = last == batch            ? " or a larger train.batch"
                           : batch / processes >= 2 ? ", another train.batch or train.drop_last=true"
                                                    : " or another train.batch";
  require(last / processes >= 2, arguments_.data, ": train.batch=", batch, what, " for each of ", processes,
          " processes; use ", fewer, more);
}

// One batch, repeated, without dropout or augmentation: every correct network must memorise it.
void TrainingSet::keep_one_batch() {
  for (const Setting& option : config_.model->settings()) {
    if (option.key == "model.dropout") *std::get<double*>(option.value) = 0;
  }
  config_.task->do_not_augment();
  config_.batch.number =
      std::min(*config_.batch.number, static_cast<std::int64_t>(data_->split().train.size()));
  data_->keep(*config_.batch.number);
}

std::string TrainingSet::baselines_json(const std::string& metric) const {
  nlohmann::ordered_json json = {{"format_version", kFormatVersion}, {"metric", metric}};
  for (const Baseline& baseline : baselines_)
    json["baselines"].push_back({{"name", baseline.name}, {"value", baseline.metric}});
  return json.dump(2) + "\n";
}

std::string TrainingSet::baselines_text() const {
  std::string text;
  for (const Baseline& baseline : baselines_) {
    char number[32];
    std::snprintf(number, sizeof number, "%.4g", baseline.metric);
    text += concat(text.empty() ? "" : ", ", baseline.name, " ", number);
  }
  return text;
}

}  // namespace umbra
