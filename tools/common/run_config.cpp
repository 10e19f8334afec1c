#include "tools/common/run_config.h"

#include <cmath>

#include "engine/base/error.h"
#include "engine/optim/schedule.h"

namespace umbra {
namespace {

constexpr double kMany = 1e9;

std::vector<Setting> machine_settings(RunConfig& c) {
  return {
      {"device", "auto, cpu, cuda or cuda:N", &c.device},
      {"precision",
       "of convolutions and linear layers: fp32, or their operands rounded to tf32 or bf16 (sums, weights "
       "and moments stay in fp32). tf32 is fast on GPUs; on a CPU it computes the same numbers and takes "
       "longer",
       &c.precision},
      {"kernels",
       "kernels to prefer, e.g. conv_fprop=reference, or conv3d=cudnn on a GPU; empty: the registry's choice",
       &c.kernels},
  };
}

std::vector<Setting> model_settings(RunConfig& c) {
  return {
      {"model.name", "the network", &c.model, 0, 0, {"um_resnet"}},
      {"model.channels", "channels of the first layer (the paper scans 20, 100, 200)", &c.channels, 1, 4096},
      {"model.dropout", "probability of dropping a unit after fc1 and fc2", &c.dropout, 0, 0.99},
  };
}

std::vector<Setting> data_settings(RunConfig& c) {
  return {
      {"data.subbox_size", "side of a sub-box, Mpc/h", &c.boxes.subbox_size, 1e-3, 1e6},
      {"data.voxels", "grid points per side of a sub-box", &c.voxels, 1, 512},
      {"data.min_vpeak", "halos below do not enter the input, km/s", &c.boxes.min_vpeak, 0, 1e5},
      {"data.features", "halo columns averaged over each voxel, one input channel each", &c.boxes.features},
      {"data.smf_min", "lower edge of the first mass bin, log10 M*/Msun", &c.boxes.smf_min, 0, 20},
      {"data.smf_width", "width of a mass bin, dex", &c.boxes.smf_width, 1e-3, 10},
      {"data.smf_bins", "number of mass bins", &c.smf_bins, 1, 1000},
      {"data.per_dex", "labels per dex instead of per bin", &c.boxes.per_dex},
      {"data.train_fraction", "share of the sub-boxes used for training", &c.train_fraction, 1e-6, 1 - 1e-6},
      {"data.split_seed", "seed of the split into training and validation", &c.split_seed, 0, kMany},
      {"data.validation_boxes", "sub-boxes to validate on, by number; empty: drawn from split_seed",
       &c.validation_boxes, 0, kMany},
      {"data.input_scaling",
       "none, or rms: inputs divided by the r.m.s. of occupied training voxels",
       &c.input_scaling,
       0,
       0,
       {"none", "rms"}},
      {"data.label_scaling",
       "none, or standard: the network learns labels standardised per bin",
       &c.label_scaling,
       0,
       0,
       {"none", "standard"}},
      {"data.symmetries", "augment with the 48 symmetries of the cube", &c.symmetries},
      {"data.shifts", "augment with random shifts where the volume is periodic", &c.shifts},
  };
}

std::vector<Setting> loss_settings(RunConfig& c) {
  return {
      {"loss.name",
       "chi2_linear (the authors' code), chi2_log (the paper's Eq. 1) or mse (of standardised labels)",
       &c.loss,
       0,
       0,
       {"chi2_linear", "chi2_log", "mse"}},
      {"loss.log_floor_galaxies", "chi2_log: the floor of phi, in galaxies per sub-box and bin",
       &c.log_floor_galaxies, 1e-6, kMany},
  };
}

std::vector<Setting> train_settings(RunConfig& c) {
  return {
      {"train.epochs", "passes over the training sub-boxes", &c.epochs, 1, kMany},
      {"train.batch", "sub-boxes per step", &c.batch, 2, kMany},
      {"train.seed", "of initial weights, order, dropout and augmentation", &c.seed, 0, kMany},
      {"train.drop_last", "leave out the last, smaller batch of an epoch", &c.drop_last},
      {"train.optimizer", "adam, adamw or sgd", &c.optimizer, 0, 0, {"adam", "adamw", "sgd"}},
      {"train.momentum", "of sgd", &c.momentum, 0, 0.9999},
      {"train.weight_decay", "L2 for adam and sgd, decoupled for adamw", &c.weight_decay, 0, 10},
      {"train.schedule", "constant, step or cosine", &c.schedule, 0, 0, {"constant", "step", "cosine"}},
      {"train.learning_rate", "of constant and cosine", &c.learning_rate, 0, 1e3},
      {"train.warmup_epochs", "cosine: linear rise over this many epochs", &c.warmup_epochs, 0, kMany},
      {"train.step_epochs", "step: epochs at which the rate changes, e.g. [10]", &c.step_epochs, 0, kMany},
      {"train.step_rates", "step: the rates between them, one more than step_epochs", &c.step_rates, 0, 1e3},
      {"train.clip", "largest norm of the gradient; 0: no clipping", &c.clip, 0, 1e30},
      {"train.nan_guard", "stop at the first loss that is not finite and say where it came from",
       &c.nan_guard},
      {"train.graph",
       "on a GPU: replay the captured step (on) or queue its ops one by one (off); the same bits",
       &c.graph,
       0,
       0,
       {"on", "off"}},
      {"train.checkpoint_steps", "write last.h5 every so many steps, besides after every epoch; 0: no more",
       &c.checkpoint_steps, 0, kMany},
  };
}

}  // namespace

Config RunConfig::bind() {
  std::vector<Setting> all;
  for (const auto settings : {machine_settings, model_settings, data_settings, loss_settings, train_settings})
    for (Setting& setting : settings(*this)) all.push_back(std::move(setting));
  return Config(std::move(all));
}

BoxOptions RunConfig::box_options() const {
  BoxOptions options = boxes;
  options.voxels = static_cast<int>(voxels);
  options.smf_bins = static_cast<int>(smf_bins);
  return options;
}

Split RunConfig::split(std::int64_t count) const {
  Split result;
  if (validation_boxes.empty()) {
    result = split_boxes(count, train_fraction, static_cast<std::uint64_t>(split_seed));
  } else {
    std::vector<char> held_out(static_cast<std::size_t>(count), 0);
    for (double box : validation_boxes) {
      require(box == std::floor(box) && box < static_cast<double>(count), "data.validation_boxes: ", box,
              " is not the number of a sub-box; there are ", count, ", counted from 0");
      held_out[static_cast<std::size_t>(box)] = 1;
    }
    for (std::int64_t box = 0; box < count; ++box) {
      (held_out[static_cast<std::size_t>(box)] != 0 ? result.validation : result.train).push_back(box);
    }
  }
  require(!result.train.empty() && !result.validation.empty(), count,
          " sub-boxes are too few to train on some and validate on others");
  return result;
}

void RunConfig::check() const {
  require(!boxes.features.empty(), "data.features must name at least one halo column");
  for (const std::string& feature : boxes.features) {
    for (const char* no : {"x", "y", "z", "stellar_mass", "sfr"}) {
      require(feature != no, "data.features: ", no, " is not a property of a halo that the network may see");
    }
  }
  require(
      loss != "mse" || label_scaling == "standard",
      "loss.name=mse needs data.label_scaling=standard: without it the bins would have arbitrary weights");
  if (schedule == "step") {
    require(step_rates.size() == step_epochs.size() + 1,
            "train.step_rates must have one entry more than train.step_epochs, but they have ",
            step_rates.size(), " and ", step_epochs.size());
    for (std::size_t i = 1; i < step_epochs.size(); ++i) {
      require(step_epochs[i] > step_epochs[i - 1], "train.step_epochs must ascend");
    }
  }
}

double RunConfig::rate(std::int64_t step, std::int64_t steps_per_epoch) const {
  const auto steps_of = [&](double epochs_) {
    return static_cast<std::int64_t>(std::llround(epochs_ * static_cast<double>(steps_per_epoch)));
  };
  if (schedule == "step") {
    std::vector<std::int64_t> boundaries;
    for (double epoch : step_epochs) boundaries.push_back(steps_of(epoch));
    return step_schedule(step, boundaries, step_rates);
  }
  if (schedule == "cosine")
    return cosine_schedule(step, epochs * steps_per_epoch, steps_of(warmup_epochs), learning_rate);
  return learning_rate;
}

}  // namespace umbra
