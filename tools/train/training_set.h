// What a run learns from, or every member of an ensemble: the data, split and scaled, the settings that follow
// from them, and the baselines.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/train/arguments.h"

namespace umbra {

class TrainingSet {
 public:
  /// Reads --data and gives settings of `config` that are auto their numbers. A batch is divided among `processes`.
  /// `of_run`: the numbers in the checkpoint of a run that is resumed; without it they are fitted. Throws Error.
  TrainingSet(const TrainArguments& arguments, const RunConfig& config, const std::optional<Fitted>& of_run,
              int processes);
  TrainingSet(const TrainingSet&) = delete;
  TrainingSet& operator=(const TrainingSet&) = delete;

  const RunConfig& config() const { return config_; }
  /// Remarks for the user, one line each: about the data, and the numbers of settings that were auto.
  const std::vector<std::string>& notes() const { return notes_; }
  const TrainingData& data() const { return *data_; }
  const Fitted& fitted() const { return fitted_; }
  const std::vector<double>& fingerprint() const { return fingerprint_; }
  const std::vector<Baseline>& baselines() const { return baselines_; }
  /// "mean SMF 228, ridge on the histogram of the input 41.88"
  std::string baselines_text() const;
  /// The same as the file baselines.json of a run, from which plot.py draws them.
  std::string baselines_json(const std::string& metric) const;
  /// Whether a network with this validation metric is better than a constant prediction.
  bool beats_the_mean(double metric) const { return metric < baselines_.front().metric; }

 private:
  void choose_batch(std::int64_t processes);
  void check_shares(std::int64_t batch, std::int64_t last, std::int64_t processes) const;
  void keep_one_batch();

  const TrainArguments& arguments_;
  RunConfig config_;
  std::unique_ptr<TrainingData> data_;
  std::vector<std::string> notes_;
  std::vector<double> fingerprint_;
  std::vector<Baseline> baselines_;
  Fitted fitted_;
};

}  // namespace umbra
