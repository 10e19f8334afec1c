// The settings of the dataset task: how the inputs and targets of a file are scaled, held, augmented and split.
#pragma once

#include <string>
#include <vector>

#include "data/images/image_set.h"
#include "engine/base/setting.h"
#include "models/tasks/dataset/augmentation.h"

namespace umbra {

/// The settings of the dataset task; bind() gives their keys.
struct DatasetSettings {
  std::string input_scaling = "standard";   ///< "standard" (mean 0, deviation 1 per channel) or "none"
  std::string target_scaling = "standard";  ///< of values: "standard" (mean 0, deviation 1) or "none"
  std::string resident = "auto";     ///< inputs in memory: "on", "off", or "auto": on below 1/4 of the memory
  AugmentationOptions augmentation;  ///< of training images
  std::string class_weights = "none";  ///< of the loss: "none" or "balanced"
  double mixup = 0;            ///< parameter of the beta distribution of the shares of mixed samples; 0: none
  double label_smoothing = 0;  ///< the share of a label that is spread evenly over all classes
  double validation_fraction = 0.2;  ///< the share of samples held out where the file has no /split
  std::int64_t split_seed = 1;       ///< of the random split where the file has no /split
  bool inner_split = false;  ///< hold out samples to train on, and leave those that /split holds out alone
  ImageOptions images;       ///< of folders of images
  ImageCache cache;          ///< no setting: where the decoded images of a folder are kept

  /// All settings, bound to this object.
  std::vector<Setting> bind();
  /// Whether the targets of classes are shares of all of them (SampleOptions::shares).
  bool learns_shares() const { return mixup > 0; }
  /// Where decoded images are kept: in data.cache, or else next to the folder of the run.
  void keep_images_next_to(const std::filesystem::path& run, bool writes);
};

}  // namespace umbra
