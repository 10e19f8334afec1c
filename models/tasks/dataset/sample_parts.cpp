#include "models/tasks/dataset/sample_parts.h"

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
