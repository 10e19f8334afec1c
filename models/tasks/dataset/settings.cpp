#include "models/tasks/dataset/settings.h"

namespace umbra {

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
      {"train.inner_split",
       "hold out train.validation_fraction of the samples that /split trains on and use no others, so that settings "
       "can be chosen without the samples that /split holds out",
       &inner_split},
      {"train.validation_fraction", "share of the samples held out, where the file has no /split",
       &validation_fraction, 1e-6, 1 - 1e-6},
      {"train.split_seed", "seed of the split into training and validation, where the file has no /split",
       &split_seed, 0, 1e9},
  };
  for (const std::vector<Setting>& more : {augmentation.bind(), images.bind()})
    all.insert(all.begin(), more.begin(), more.end());
  return all;
}

void DatasetSettings::keep_images_next_to(const std::filesystem::path& run, bool writes) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::absolute(run).lexically_normal();
  cache.folder = !images.cache.empty()   ? fs::path(images.cache)
                 : folder.has_filename() ? folder.parent_path()
                                         : folder.parent_path().parent_path();
  cache.writes = writes;
}

}  // namespace umbra
