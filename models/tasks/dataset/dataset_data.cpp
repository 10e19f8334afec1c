#include <algorithm>
#include <cmath>

#include "models/tasks/dataset/classes.h"
#include "models/tasks/dataset/dataset_task.h"
#include "models/tasks/dataset/samples.h"

namespace umbra {

DatasetData::DatasetData(const DataFile& file, const DatasetSettings& settings)
    : settings_(settings),
      name_(file.name()),
      is_folder_(file.is_folder()),
      has_split_(file.has_split()),
      targets_(file.targets()) {
  file.check_settings(settings, targets_);
  parts_ = file.parts(settings, targets_.classes > 0 ? targets_.numbers : std::vector<double>());
  split_ = file.split(parts_);
  file.check_classes(targets_, split_, settings);
  notes_ = file.notes();
  columns_ = file.columns();
  if (has_split_ && notes_.empty())
    notes_.push_back(concat(name_, ": /split determines the samples to train and to validate on"));
  describe_samples();
  if (!file.keeps_in_memory(settings.resident) && file.is_chunked())
    notes_.push_back(
        concat(name_, ": the inputs are read during training, in chunks, by one thread at a time; ",
               "this command makes a copy that is faster to read: h5repack -l inputs:CONTI -f inputs:NONE ",
               file.path().string(), " COPY.h5"));
  inputs_ = file.inputs(settings.resident);
  InputScan scan = scan_inputs(*inputs_, split_.train, file.piece(), name_);
  if (!file.files().empty()) sample_keys_ = std::move(scan.keys);
  fingerprint_ = file.fingerprint(scan.fingerprint, targets_.numbers);
  input_moments_ = std::move(scan.training);
  moments_of_ = split_.train.size();
}

// A wrong column of labels shows in the names and numbers of the classes.
void DatasetData::describe_samples() {
  constexpr std::int64_t kMostClasses = 10;
  if (targets_.classes > 0) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(targets_.classes), 0);
    for (const double label : targets_.numbers) ++counts[static_cast<std::size_t>(label)];
    std::string text = concat(targets_.classes, " classes: ");
    for (std::int64_t k = 0; k < std::min(targets_.classes, kMostClasses); ++k) {
      const auto at = static_cast<std::size_t>(k);
      text += concat(k == 0 ? "" : ", ",
                     targets_.names.empty() ? concat("class ", k, ":") : targets_.names[at], " ", counts[at]);
    }
    if (targets_.classes > kMostClasses) text += concat(", and ", targets_.classes - kMostClasses, " more");
    notes_.push_back(text);
  }
  const auto count = [&](SamplePart part) { return std::count(parts_.begin(), parts_.end(), part); };
  const auto samples = [](std::int64_t number) {
    return concat(number, number == 1 ? " sample" : " samples");
  };
  if (const auto tests = count(SamplePart::kTest); tests > 0)
    notes_.push_back(concat(samples(tests), " to test on: neither trained nor validated on"));
  if (const auto outside = count(SamplePart::kOutside); outside > 0)
    notes_.push_back(
        concat(samples(outside), " left out by data.inner_folds, on which a run without it validates"));
}

Moments DatasetData::target_moments() const {
  const auto width = static_cast<std::size_t>(targets_.width);
  Moments moments(width);
  for (const std::int64_t row : split_.train) {
    moments.append(
        Moments(width, std::span(targets_.numbers).subspan(static_cast<std::size_t>(row) * width, width)));
  }
  return moments;
}

// Keeps samples at equal distances: in a file sorted by class the first samples would all be of one class.
void DatasetData::keep(std::int64_t count) {
  std::vector<std::int64_t> kept;
  const auto all = static_cast<std::int64_t>(split_.train.size());
  for (std::int64_t i = 0; i < count; ++i)
    kept.push_back(split_.train[static_cast<std::size_t>(i * all / count)]);
  split_.train = split_.validation = kept;
}

std::vector<double> DatasetData::constant_prediction() const {
  if (targets_.classes == 0) return target_moments().mean();
  std::vector<double> shares(static_cast<std::size_t>(targets_.classes), 0.0);
  for (const std::int64_t row : split_.train)
    shares[static_cast<std::size_t>(targets_.numbers[static_cast<std::size_t>(row)])] += 1;
  for (double& share : shares) share = std::log(share / static_cast<double>(split_.train.size()));
  return shares;
}

// Inverse to the number of training samples of a class, with mean 1 over them; 0 for a class that keep() left without any.
std::vector<double> DatasetData::balanced_weights() const {
  std::vector<double> counts(static_cast<std::size_t>(targets_.classes), 0.0);
  for (const std::int64_t row : split_.train)
    counts[static_cast<std::size_t>(targets_.numbers[static_cast<std::size_t>(row)])] += 1;
  const auto present =
      static_cast<double>(counts.size()) - static_cast<double>(std::count(counts.begin(), counts.end(), 0.0));
  for (double& count : counts)
    count = count > 0 ? static_cast<double>(split_.train.size()) / (present * count) : 0;
  return counts;
}

std::string DatasetData::constant_name() const {
  return targets_.classes > 0 ? "most frequent class" : "mean of the training targets";
}

std::vector<Baseline> DatasetData::baselines() const {
  const std::vector<double> constant = constant_prediction();
  const auto width = static_cast<std::size_t>(targets_.width);
  double sum = 0;
  for (const std::int64_t row : split_.validation) {
    const auto target = std::span(targets_.numbers).subspan(static_cast<std::size_t>(row) * width, width);
    if (targets_.classes > 0) {
      sum += likeliest(constant) != static_cast<std::int64_t>(target[0]) ? 1 : 0;
      continue;
    }
    for (std::size_t k = 0; k < width; ++k)
      sum += (constant[k] - target[k]) * (constant[k] - target[k]) / static_cast<double>(width);
  }
  return {{constant_name(), sum / static_cast<double>(split_.validation.size())}};
}

Fitted DatasetData::fit() const {
  DatasetFit fit;
  fit.input_shape = inputs_->shape();
  fit.classes = targets_.classes;
  const auto channels = static_cast<std::size_t>(fit.input_shape[0]);
  fit.input_mean.assign(channels, 0.0);
  fit.input_scale.assign(channels, 1.0);
  if (settings_.input_scaling == "standard") {
    const bool fewer = split_.train.size() != moments_of_;  // keep()
    const Moments moments = fewer ? moments_of(*inputs_, split_.train) : input_moments_;
    fit.input_mean = moments.mean();
    fit.input_scale = moments.deviation();
  }
  fit.class_numbers = targets_.class_numbers;
  fit.sample_keys = sample_keys_;
  for (std::size_t i = 0; i < sample_keys_.size(); ++i)
    fit.sample_parts.push_back(static_cast<double>(parts_[i]));
  if (settings_.class_weights == "balanced") fit.class_weights = balanced_weights();
  if (fit.classes > 0) return to_map(fit);
  fit.target_mean.assign(static_cast<std::size_t>(targets_.width), 0.0);
  fit.target_scale.assign(static_cast<std::size_t>(targets_.width), 1.0);
  if (settings_.target_scaling == "standard") {
    const Moments moments = target_moments();
    fit.target_mean = moments.mean();
    fit.target_scale = moments.deviation();
  }
  return to_map(fit);
}

void DatasetData::scale(const Fitted& fitted) {
  fit_ = dataset_fit(fitted, "the run");
  check_shape(name_, inputs_->shape(), fit_.input_shape, "the run");
  require(fit_.classes == targets_.classes && (fit_.classes > 0 || fit_.values() == targets_.width), name_,
          ", /targets: ",
          targets_.classes > 0 ? concat("there are ", targets_.classes, " classes")
                               : concat("there are ", targets_.width, " values a sample"),
          ", but the run was trained on ", fit_.outputs(), fit_.classes > 0 ? " classes" : " values");
}

bool DatasetData::splits_as(const DatasetSettings& settings) const {
  const bool random = !has_split_ || settings.inner_folds > 0;
  return settings.inner_folds == settings_.inner_folds && settings.inner_fold == settings_.inner_fold &&
         (!random || settings.split_seed == settings_.split_seed) &&
         (has_split_ || settings.validation_fraction == settings_.validation_fraction);
}

std::unique_ptr<Dataset> DatasetData::samples(std::vector<std::int64_t> rows) const {
  SampleOptions options;
  options.augmentation = settings_.augmentation;
  if (!settings_.augmentation.mirrored.empty())
    options.mirror = targets_.mirror(settings_.augmentation.mirrored, name_);
  options.shares = settings_.learns_shares();
  options.mixup = settings_.mixup;
  options.smoothing = settings_.label_smoothing;
  return std::make_unique<Samples>(*inputs_, targets_.numbers, std::move(rows), fit_, std::move(options));
}

}  // namespace umbra
