#include "models/tasks/smf/transform.h"

#include <algorithm>
#include <cmath>

#include "data/boxes/features.h"
#include "data/observations/moustakas2013.h"
#include "engine/base/error.h"
#include "models/tasks/smf/list_transform.h"
#include "models/tasks/smf/mean_and_deviation.h"

namespace umbra {
namespace {

constexpr double kAssumedHalos = 256;  // in a list, where there is no catalog
constexpr double kMostHalos = 1e9;     // in a list; more do not fit into memory
constexpr double kLn10 = 2.302585092994046;

std::size_t reference_numbers_of(const SmfSettings& settings) {
  std::vector<Feature> features;
  for (const std::string& feature : settings.boxes.features)
    features.push_back(parse_feature(feature, concat("data.features=", feature)));
  return reference_numbers(features);
}

// The numbers of a list that are standardised like parameters.
std::size_t parameter_numbers(const SmfSettings& settings) {
  return settings.lists() ? settings.boxes.list_numbers() : settings.boxes.parameters.size();
}

std::vector<double> input_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                                 const SmfSettings& settings) {
  const std::size_t features = boxes.options.features.size(), channels = boxes.options.channels();
  std::vector<double> scales(features, 1.0);
  if (settings.input_scaling == "none") return scales;
  const auto voxels = static_cast<std::size_t>(boxes.options.voxels);
  const std::size_t volume = voxels * voxels * voxels;
  for (std::size_t f = 0; f < features; ++f) {
    double squares = 0, occupied = 0;
    for (std::int64_t box : train) {
      const float* cell = boxes.input.data() + (static_cast<std::size_t>(box) * channels + f) * volume;
      for (std::size_t v = 0; v < volume; ++v) {
        squares += static_cast<double>(cell[v]) * static_cast<double>(cell[v]);
        occupied += cell[v] != 0 ? 1 : 0;
      }
    }
    if (squares > 0) scales[f] = std::sqrt(occupied / squares);
  }
  return scales;
}

// Standardises the parameters over the training boxes. One that varies by no more than the rounding of its mean
// becomes 0.
void parameter_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train, Transform& transform) {
  const auto voxels = static_cast<std::size_t>(boxes.options.voxels);
  const std::size_t volume = voxels * voxels * voxels, channels = boxes.options.channels();
  for (std::size_t channel = boxes.options.features.size(); channel < channels; ++channel) {
    const MeanAndDeviation m = mean_and_deviation(train.size(), [&](std::size_t i) {
      return static_cast<double>(
          boxes.input[(static_cast<std::size_t>(train[i]) * channels + channel) * volume]);
    });
    transform.parameter_shift.push_back(m.mean);
    transform.parameter_scale.push_back(inverse(m.deviation));
  }
}

// With loss.link=log. Mean and deviation of the logarithm of the expected phi over the training boxes, if that is
// log-normal and the counts are Poisson: exp of a standard normal output then has the mean and, with the noise of
// the counts, the variance of the labels. The scatter of log(1 + N) itself is mostly Poisson noise where a bin holds
// few galaxies, and the logarithm of the mean without the half of the variance makes the rich boxes, which dominate
// chi^2, start too rich. A bin without galaxies is treated as if all training boxes together had one.
void log_label_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                      const SmfSettings& settings, Transform& transform) {
  constexpr double kSmallestScale = 0.1;
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  const auto count = static_cast<double>(train.size());
  const double galaxy = 1 / settings.galaxies_per_phi();
  for (std::size_t b = 0; b < bins; ++b) {
    double sum = 0, squares = 0;
    const auto label = [&](std::int64_t box) {
      return static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * bins + b]);
    };
    for (const std::int64_t box : train) sum += label(box);
    const double mean = std::max(sum, galaxy) / count;
    for (const std::int64_t box : train) squares += std::pow(label(box) - mean, 2);
    const double excess = std::max(0.0, squares / count - galaxy * mean);  // beyond Poisson
    const double variance = std::log1p(excess / (mean * mean));
    transform.label_scale[b] = std::max(kSmallestScale, std::sqrt(variance));
    transform.label_shift[b] = std::log(mean) - variance / 2;
  }
}

// Mean and deviation of a label over the training boxes. A bin that never varies gets the deviation that one
// galaxy in one box would make, so that nothing is divided by zero.
void label_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train, Transform& transform) {
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  const auto count = static_cast<double>(train.size());
  for (std::size_t b = 0; b < bins; ++b) {
    double sum = 0, squares = 0, smallest = 0;
    for (std::int64_t box : train)
      sum += static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * bins + b]);
    for (std::int64_t box : train) {
      const double d = static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * bins + b]) - sum / count;
      squares += d * d;
    }
    smallest = 1 / (std::pow(boxes.options.subbox_size, 3) * std::sqrt(count));
    transform.label_shift[b] = sum / count;
    transform.label_scale[b] = std::max(std::sqrt(squares / count), smallest);
  }
}
}  // namespace

Transform fit_transform(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                        const SmfSettings& settings) {
  require(!boxes.smf.empty(), boxes.source,
          ": the catalog has no column stellar_mass, so there is nothing to learn from");
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  Transform t;
  if (settings.lists())
    list_scales(boxes, train, settings, t);
  else
    t.input_scale = input_scales(boxes, train, settings);
  t.label_scale.assign(bins, 1.0);
  t.label_shift.assign(bins, 0.0);
  if (settings.label_scaling == "standard" && settings.link == "log") {
    log_label_scales(boxes, train, settings, t);
  } else if (settings.label_scaling == "standard") {
    label_scales(boxes, train, t);
  }
  t.references = boxes.options.references;
  if (!settings.lists()) parameter_scales(boxes, train, t);
  t.sigma.assign(boxes.sigma.begin(), boxes.sigma.end());
  for (std::size_t b = 0; b < bins; ++b) {
    const ObservedSmfRow* row = moustakas2013_at((boxes.edges[b] + boxes.edges[b + 1]) / 2);
    require(row != nullptr, "the mass bin ", boxes.edges[b], " to ", boxes.edges[b + 1],
            " lies outside the observed table");
    t.sigma_dex.push_back(row->sigma() / (row->phi * kLn10));
  }
  return t;
}

Transform neutral_transform(const SmfSettings& settings) {
  const auto bins = static_cast<std::size_t>(settings.smf_bins);
  const std::vector<double> ones(bins, 1.0);
  return {std::vector<double>(settings.boxes.features.size(), 1.0),
          ones,
          std::vector<double>(bins, 0.0),
          ones,
          ones,
          std::vector<double>(reference_numbers_of(settings), 0.0),
          std::vector<double>(parameter_numbers(settings), 0.0),
          std::vector<double>(parameter_numbers(settings), 1.0),
          std::vector<double>(settings.lists() ? settings.boxes.features.size() : 0, 0.0),
          std::vector<double>(settings.lists() ? 1 : 0, kAssumedHalos),
          std::vector<double>(settings.lists() ? bins : 0, 0.0)};
}

BoxOptions box_options_of_run(const SmfSettings& settings, const Fitted& fitted, const std::string& where) {
  BoxOptions options = settings.box_options();
  options.references = from_map(fitted, settings, where).references;
  return options;
}

Fitted to_map(const Transform& t) {
  Fitted fitted{{"input_scale", t.input_scale},
                {"label_scale", t.label_scale},
                {"label_shift", t.label_shift},
                {"sigma", t.sigma},
                {"sigma_dex", t.sigma_dex}};
  if (!t.references.empty()) fitted["references"] = t.references;
  if (!t.parameter_shift.empty()) {
    fitted["parameter_shift"] = t.parameter_shift;
    fitted["parameter_scale"] = t.parameter_scale;
  }
  if (!t.input_shift.empty()) {
    fitted["input_shift"] = t.input_shift;
    fitted["longest_list"] = t.longest_list;
    fitted["background"] = t.background;
  }
  return fitted;
}

Transform from_map(const Fitted& fitted, const SmfSettings& settings, const std::string& where) {
  const auto get = [&](const std::string& name, std::size_t length) {
    const auto found = fitted.find(name);
    require(found != fitted.end() && found->second.size() == length, where, ": /transform/", name, " with ",
            length, " numbers is expected");
    return found->second;
  };
  const auto bins = static_cast<std::size_t>(settings.smf_bins);
  for (const auto& [name, values] : fitted) {
    for (double v : values)
      require(std::isfinite(v), where, ": /transform/", name, " holds a number that is not finite");
  }
  for (double v : get("sigma", bins)) require(v > 0, where, ": /transform/sigma must be positive");
  if (settings.lists()) {
    const double longest = get("longest_list", 1)[0];
    require(longest >= 1 && longest <= kMostHalos && longest == std::floor(longest), where,
            ": /transform/longest_list must be a number of halos, but it is ", longest);
  }
  // Runs without residuals and parameters have no such numbers.
  const auto get_any = [&](const std::string& name, std::size_t length) {
    return length > 0 ? get(name, length) : std::vector<double>();
  };
  return {get("input_scale", settings.boxes.features.size()),
          get("label_scale", bins),
          get("label_shift", bins),
          get("sigma", bins),
          get("sigma_dex", bins),
          get_any("references", reference_numbers_of(settings)),
          get_any("parameter_shift", parameter_numbers(settings)),
          get_any("parameter_scale", parameter_numbers(settings)),
          get_any("input_shift", settings.lists() ? settings.boxes.features.size() : 0),
          get_any("longest_list", settings.lists() ? 1 : 0),
          get_any("background", settings.lists() ? bins : 0)};
}

void scale_inputs(BoxSet& boxes, const Transform& transform) {
  if (boxes.options.input == BoxInput::kHalos) return scale_lists(boxes, transform);
  const auto voxels = static_cast<std::size_t>(boxes.options.voxels);
  const std::size_t volume = voxels * voxels * voxels, features = transform.input_scale.size(),
                    channels = boxes.options.channels();
  for (std::size_t i = 0; i < boxes.input.size(); ++i) {
    const std::size_t channel = i / volume % channels;
    if (channel < features) {
      boxes.input[i] *= static_cast<float>(transform.input_scale[channel]);
    } else {
      const double value =
          static_cast<double>(boxes.input[i]) - transform.parameter_shift[channel - features];
      boxes.input[i] = static_cast<float>(value * transform.parameter_scale[channel - features]);
    }
  }
}
}  // namespace umbra
