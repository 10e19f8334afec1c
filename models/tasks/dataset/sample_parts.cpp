#include "models/tasks/dataset/sample_parts.h"

#include <algorithm>
#include <map>

#include "engine/base/error.h"

namespace umbra {

SampleSplit random_split(std::int64_t count, const DatasetSettings& settings) {
  return split_boxes(count, 1 - settings.validation_fraction,
                     static_cast<std::uint64_t>(settings.split_seed));
}

std::vector<std::int64_t> rows_of(const std::vector<SamplePart>& parts, SamplePart part) {
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i] == part) rows.push_back(static_cast<std::int64_t>(i));
  return rows;
}

std::vector<SamplePart> known_parts(const std::vector<double>& keys, const std::vector<double>& keys_of_run,
                                    const std::vector<double>& parts_of_run) {
  std::map<double, double> part_of;
  for (std::size_t i = 0; i < keys_of_run.size(); ++i) {
    const auto [known, is_first] = part_of.emplace(keys_of_run[i], parts_of_run[i]);
    if (!is_first) known->second = std::min(known->second, parts_of_run[i]);
  }
  std::vector<SamplePart> parts;
  for (const double key : keys) {
    const auto known = part_of.find(key);
    const bool is_part = known != part_of.end() && known->second >= 0 && known->second <= 3;
    parts.push_back(is_part ? static_cast<SamplePart>(known->second) : SamplePart::kNew);
  }
  return parts;
}

void divide_training(const DatasetSettings& settings, const std::vector<double>& labels,
                     const std::string& where, std::vector<SamplePart>& parts) {
  std::vector<std::int64_t> own;  // of the training samples
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i] == SamplePart::kTraining)
      own.push_back(labels.empty() ? 0 : static_cast<std::int64_t>(labels[i]));
  require(settings.inner_folds <= std::ssize(own), where, ": data.inner_folds=", settings.inner_folds,
          ": there are only ", own.size(), " samples to train on");
  const std::vector<std::int64_t> fold_of =
      stratified_folds(own, settings.inner_folds, static_cast<std::uint64_t>(settings.split_seed));
  auto fold = fold_of.begin();
  for (SamplePart& part : parts) {
    if (part == SamplePart::kValidation) part = SamplePart::kOutside;
    if (part == SamplePart::kTraining && *fold++ == settings.inner_fold) part = SamplePart::kValidation;
  }
}

}  // namespace umbra
