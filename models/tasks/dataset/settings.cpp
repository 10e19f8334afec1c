#include "models/tasks/dataset/settings.h"

#include "data/boxes/split.h"
#include "engine/io/config_text.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// The folder that a file or folder is in; empty for an empty path.
fs::path folder_of(const fs::path& path) {
  if (path.empty()) return {};
  const fs::path full = fs::absolute(path).lexically_normal();
  return full.has_filename() ? full.parent_path() : full.parent_path().parent_path();
}

}  // namespace

std::vector<Setting> DatasetSettings::bind() {
  std::vector<Setting> all = {
      {"data.input_scaling",
       "standard: every channel of the inputs with mean 0 and deviation 1 over the training samples; or none",
       &input_scaling,
       0,
       0,
       {"standard", "none"}},
      {"data.target_scaling",
       "for values, not for classes. standard: the network learns them with mean 0 and deviation 1; or none",
       &target_scaling,
       0,
       0,
       {"standard", "none"}},
      changeable(
          {"data.resident",
           "the inputs are kept in memory (on) or read from the file in every epoch (off); auto: on if they "
           "take less than a quarter of the memory. The results are bit-identical",
           &resident,
           0,
           0,
           {"auto", "on", "off"}}),
      {"data.inner_folds",
       "divide the samples to train on again, into so many parts with equal shares of every class, so that settings can "
       "be chosen without the samples held out; 0: not",
       &inner_folds, 0, 1e9},
      {"data.inner_fold", "the part of them to validate on, from 0; the samples outside them are left out",
       &inner_fold, 0, 1e9},
      {"loss.class_weights",
       "for classes. balanced: every class counts as much as any other, however many samples it has; or none",
       &class_weights,
       0,
       0,
       {"none", "balanced"}},
      {"loss.mixup",
       "for classes: a > 0 mixes every training sample with another, in shares drawn from a beta distribution with "
       "the parameters a and a (Zhang et al. 2018); 0: none",
       &mixup, 0, 100},
      {"loss.label_smoothing", "for classes: the share of a label that is spread evenly over all of them",
       &label_smoothing, 0, 0.99},
      {"train.validation_fraction", "share of the samples held out, where the file has no /split",
       &validation_fraction, 1e-6, 1 - 1e-6},
      {"train.split_seed",
       "seed of the split into training and validation, where the file has no /split, and of data.inner_folds",
       &split_seed, 0, 1e9},
  };
  for (const std::vector<Setting>& more : {augmentation.bind(), images.bind()})
    all.insert(all.begin(), more.begin(), more.end());
  return all;
}

void DatasetSettings::check() const {
  augmentation.check();
  SplitRule rule;
  rule.inner_folds = inner_folds;
  rule.inner_fold = inner_fold;
  check_rule(rule);
}

void DatasetSettings::check_images(const fs::path& data) const {
  std::error_code problem;
  if (fs::is_directory(data, problem)) return;
  ImageOptions own = images, usual;
  const std::vector<Setting> all = own.bind(), others = usual.bind();
  for (std::size_t i = 0; i < all.size(); ++i)
    require(toml_of(all[i]) == toml_of(others[i]), data.string(), ": ", all[i].key,
            " applies to folders of images, but this is a file");
}

void DatasetSettings::keep_images_next_to(const fs::path& run) {
  cache.folder = images.cache.empty() ? folder_of(run) : fs::path(images.cache);
  cache.writes = !cache.folder.empty();
}

void DatasetSettings::find_images_next_to(const fs::path& run, const fs::path& out) {
  keep_images_next_to(run);
  cache.writes = !images.cache.empty();
  cache.temporary = folder_of(out);
}

}  // namespace umbra
