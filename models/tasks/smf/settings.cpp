#include "models/tasks/smf/settings.h"

#include <algorithm>
#include <cmath>

#include "data/boxes/cut.h"
#include "data/boxes/features.h"
#include "data/boxes/parameters.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr double kMany = 1e9;

}  // namespace

std::vector<Setting> SmfSettings::bind() {
  std::vector<Setting> all{
      {"data.input",
       "what the network sees of a sub-box: voxels, a grid of mean properties; halos, the list of its halos "
       "(model.name=um_halos)",
       &input,
       0,
       0,
       {"voxels", "halos"}},
      {"data.subbox_size",
       "side of a sub-box, Mpc/h. auto: 25, or if 25 does not divide the box, the divisor nearest to 25 that "
       "gives at least 16 sub-boxes",
       &subbox_size, 1e-3, 1e6},
      {"data.voxels", "grid points per side of a sub-box", &voxels, 1, 512},
      {"data.min_vpeak", "halos below this do not enter the input, km/s", &boxes.min_vpeak, 0, 1e5},
      {"data.features",
       "input channels: columns of halos and expressions of them, e.g. log10(mvir), averaged over each voxel; "
       "residual(mvir): log10 relative to the mean relation with vpeak; occupancy; count. With data.input=halos "
       "properties of each halo, also neighbours(2): log10(1 + the number of other halos within 2 Mpc/h)",
       &boxes.features},
      {"data.parameters",
       "parameters of the cubes that the network sees, and expressions of them, e.g. Omega_m,log10(A_SN1)",
       &boxes.parameters},
      {"data.smf_min", "lower edge of the first mass bin, log10 M*/Msun", &boxes.smf_min, 0, 20},
      {"data.smf_width", "width of a mass bin, dex", &boxes.smf_width, 1e-3, 10},
      {"data.smf_bins", "number of mass bins", &smf_bins, 1, 1000},
      {"data.per_dex", "labels per dex instead of per bin", &boxes.per_dex},
      {"data.train_fraction", "share of the sub-boxes used for training", &train_fraction, 1e-6, 1 - 1e-6},
      {"data.split_seed", "seed of the split into training and validation", &split_seed, 0, kMany},
      {"data.folds", "parts of a cross-validation; train_fraction is then not used. 0: none", &folds, 0,
       kMany},
      {"data.fold", "the fold to validate on, from 0; the others are trained on", &fold, 0, kMany},
      {"data.inner_folds",
       "parts into which the training boxes are divided again, to choose settings without the boxes to "
       "validate on. 0: none",
       &inner_folds, 0, kMany},
      {"data.inner_fold", "the part of them to validate on, from 0; the boxes outside them are left out",
       &inner_fold, 0, kMany},
      {"data.validation_boxes", "sub-boxes to validate on, by number; empty: drawn from split_seed",
       &validation_boxes, 0, kMany},
      {"data.input_scaling",
       "none, or rms: inputs divided by the r.m.s. of occupied training voxels; with data.input=halos only rms: features "
       "standardised over the training halos and cut at 6 deviations",
       &input_scaling,
       0,
       0,
       {"none", "rms"}},
      {"data.label_scaling",
       "none, or standard: the network learns labels standardised per bin",
       &label_scaling,
       0,
       0,
       {"none", "standard"}},
      {"data.symmetries", "augment with the 48 symmetries of the cube", &symmetries},
      {"data.shifts", "augment with random shifts where the volume is periodic", &shifts},
  };
  const std::vector<Setting> of_loss = bind_loss();
  all.insert(all.end(), of_loss.begin(), of_loss.end());
  return all;
}

std::vector<Setting> SmfSettings::bind_loss() {
  return {
      {"loss.name",
       "chi2_linear (the authors' code), chi2_log (the paper's Eq. 1), poisson (negative log likelihood of the "
       "counts) or mse (of standardised labels)",
       &loss,
       0,
       0,
       {"chi2_linear", "chi2_log", "poisson", "mse"}},
      {"loss.link",
       "identity: the network's scaled output is phi. log: it is log phi, so that phi is positive",
       &link,
       0,
       0,
       {"identity", "log"}},
      {"loss.poisson", "weight of the Poisson likelihood that is added to chi2_linear or chi2_log", &poisson,
       0, kMany},
      {"loss.log_floor_galaxies", "chi2_log: the floor of phi, in galaxies per sub-box and bin",
       &log_floor_galaxies, 1e-6, kMany},
      {"loss.halos",
       "data.input=halos: weight of the likelihood of each halo's own galaxy, minus the log of its probability summed "
       "over the halos of a sub-box, which is added to loss.name",
       &halos_weight, 0, kMany},
  };
}

BoxOptions SmfSettings::box_options() const {
  BoxOptions options = boxes;
  options.input = lists() ? BoxInput::kHalos : BoxInput::kVoxels;
  options.subbox_size = subbox_size.number.value_or(kUsualSubboxSize);
  options.voxels = static_cast<int>(voxels);
  options.smf_bins = static_cast<int>(smf_bins);
  return options;
}

SplitRule SmfSettings::split_rule() const {
  SplitRule rule{train_fraction, static_cast<std::uint64_t>(split_seed), folds, fold, {}, inner_folds,
                 inner_fold};
  for (const double box : validation_boxes) {
    require(box == std::floor(box), "data.validation_boxes: ", box, " is not the number of a sub-box");
    rule.validation.push_back(static_cast<std::int64_t>(box));
  }
  return rule;
}

SampleSplit SmfSettings::split(std::int64_t count, std::int64_t per_cube) const {
  SampleSplit result = split_boxes(count, per_cube, split_rule());
  require(!result.train.empty() && !result.validation.empty(), count,
          " sub-boxes are too few to train on some and validate on others");
  return result;
}

void SmfSettings::check() const {
  check_rule(split_rule());
  require(
      input_scaling == "rms" || !lists(),
      "data.input=halos needs data.input_scaling=rms: features of halos are cut at 6 standard deviations, "
      "which would leave nothing of a column such as vpeak");
  require(!boxes.features.empty(), "data.features must name at least one halo column");
  for (const std::string& feature : boxes.features) {
    require(std::count(boxes.features.begin(), boxes.features.end(), feature) == 1,
            "data.features: ", feature, " is named twice");
    const Feature parsed = parse_feature(feature, concat("data.features=", feature));
    check_feature(parsed, box_options().input, concat("data.features=", feature));
    for (const std::string& column : parsed.value.names())
      for (const char* no : {"x", "y", "z", "stellar_mass", "sfr"})
        require(column != no, "data.features: ", no,
                " may not be an input of the network, because it is not a property of a halo");
  }
  for (const std::string& parameter : boxes.parameters) {
    parse_parameter(parameter, concat("data.parameters=", parameter));
    require(std::count(boxes.parameters.begin(), boxes.parameters.end(), parameter) == 1,
            "data.parameters: ", parameter, " is named twice");
  }
  check_loss();
}

void SmfSettings::check_loss() const {
  require(
      loss != "mse" || label_scaling == "standard",
      "loss.name=mse needs data.label_scaling=standard: without it the bins would have arbitrary weights");
  require(
      loss != "mse" || link == "identity",
      "loss.name=mse needs loss.link=identity, because its labels are standardised in phi, not in log phi");
  require(
      link == "identity" || !lists(),
      "loss.link=log is for grids, but with data.input=halos phi is a sum of expected numbers of galaxies; "
      "leave it out");
  const bool positive = link == "log" || lists();  // lists: expected numbers are sums of probabilities
  require(loss != "poisson" || positive,
          "loss.name=poisson needs loss.link=log, because the mean of a Poisson distribution is positive");
  require(poisson == 0 || positive, "loss.poisson=", poisson,
          " needs loss.link=log, because the mean of a Poisson distribution is positive");
  require(poisson == 0 || loss == "chi2_linear" || loss == "chi2_log", "loss.poisson=", poisson,
          " is added to loss.name=chi2_linear or chi2_log, not to ", loss);
}

double SmfSettings::log_floor() const {
  const double one = 1 / std::pow(box_options().subbox_size, 3) / (boxes.per_dex ? boxes.smf_width : 1.0);
  return log_floor_galaxies *
         one;  // not log_floor_galaxies / galaxies_per_phi(), which may be rounded otherwise
}

double SmfSettings::galaxies_per_phi() const {
  return box_options().galaxies_per_phi();
}

}  // namespace umbra
