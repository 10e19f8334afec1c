// The settings of a training run: what `train` reads from TOML and from key=value words, and writes to
// RUN/config.toml.
#pragma once

#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/io/config.h"

namespace umbra {

struct RunConfig {
  std::string device = "auto";
  Precision precision = Precision::kF32;
  std::string kernels;

  std::string model = "um_resnet";
  std::int64_t channels = 20;
  double dropout = 0;

  BoxOptions boxes;
  std::int64_t voxels = 25, smf_bins = 14;  // copied into `boxes` by box_options()
  double train_fraction = 0.8;
  std::int64_t split_seed = 1;
  std::vector<double> validation_boxes;
  std::string input_scaling = "rms";
  std::string label_scaling = "standard";
  bool symmetries = true;
  bool shifts = true;

  std::string loss = "chi2_linear";
  double log_floor_galaxies = 0.5;

  std::int64_t epochs = 60;
  std::int64_t batch = 32;
  std::int64_t seed = 1;
  bool drop_last = true;
  std::string optimizer = "adam";
  double momentum = 0.9;
  double weight_decay = 0;
  std::string schedule = "cosine";
  double learning_rate = 3e-3;
  double warmup_epochs = 0;
  std::vector<double> step_epochs, step_rates;
  double clip = 0;
  bool nan_guard = true;
  std::string graph = "on";
  std::int64_t checkpoint_steps = 0;

  /// Every setting with its meaning and bounds, bound to this object.
  Config bind();
  /// The cutting of a catalog into sub-boxes.
  BoxOptions box_options() const;
  /// Which of `count` sub-boxes are trained on and which validate. Throws Error when either side would be
  /// empty or a listed box does not exist.
  Split split(std::int64_t count) const;
  /// Throws Error when settings contradict one another.
  void check() const;
  /// The learning rate at a step.
  double rate(std::int64_t step, std::int64_t steps_per_epoch) const;
};

}  // namespace umbra
