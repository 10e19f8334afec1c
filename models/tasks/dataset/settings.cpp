#include "models/tasks/dataset/settings.h"

namespace umbra {

std::vector<Setting> DatasetSettings::bind() {
  return {
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
      {"data.flips", "augment images by flipping them left to right at random", &flips},
      {"loss.label_smoothing", "for classes: the share of a label that is spread evenly over all of them",
       &label_smoothing, 0, 0.99},
      {"train.validation_fraction", "share of the samples held out, where the file has no /split",
       &validation_fraction, 1e-6, 1 - 1e-6},
      {"train.split_seed", "seed of the split into training and validation, where the file has no /split",
       &split_seed, 0, 1e9},
  };
}

}  // namespace umbra
