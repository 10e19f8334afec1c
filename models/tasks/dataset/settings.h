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
  std::int64_t inner_folds = 0;      ///< of the training samples; 0: none
  std::int64_t inner_fold = 0;       ///< the inner fold to validate on
  ImageOptions images;               ///< of folders of images
  ImageCache cache;                  ///< no setting: where the decoded images of a folder are kept

  /// All settings, bound to this object.
  std::vector<Setting> bind();
  /// Whether the targets of classes are shares of all of them (SampleOptions::shares).
  bool learns_shares() const { return mixup > 0; }
  /// Throws Error when settings contradict one another.
  void check() const;
  /// Throws Error when a setting for folders of images was changed although `data` is a file.
  void check_images(const std::filesystem::path& data) const;
  /// Keeps decoded images in data.cache, or else next to the folder of the run; without either, nowhere.
  void keep_images_next_to(const std::filesystem::path& run);
  /// Uses images that are kept there. Others are written to data.cache or, without it, to a temporary file next to the
  /// output `out`.
  void find_images_next_to(const std::filesystem::path& run, const std::filesystem::path& out);
};

}  // namespace umbra
