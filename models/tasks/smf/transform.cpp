#include "models/tasks/smf/transform.h"

#include <algorithm>
#include <cmath>

#include "data/observations/moustakas2013.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr double kLn10 = 2.302585092994046;

std::vector<double> input_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                                 const SmfSettings& settings) {
  const std::size_t features = boxes.options.features.size();
  std::vector<double> scales(features, 1.0);
  if (settings.input_scaling == "none") return scales;
  const auto voxels = static_cast<std::size_t>(boxes.options.voxels);
  const std::size_t volume = voxels * voxels * voxels;
  for (std::size_t f = 0; f < features; ++f) {
    double squares = 0, occupied = 0;
    for (std::int64_t box : train) {
      const float* cell = boxes.input.data() + (static_cast<std::size_t>(box) * features + f) * volume;
      for (std::size_t v = 0; v < volume; ++v) {
        squares += static_cast<double>(cell[v]) * static_cast<double>(cell[v]);
        occupied += cell[v] != 0 ? 1 : 0;
      }
    }
    if (squares > 0) scales[f] = std::sqrt(occupied / squares);
  }
  return scales;
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
  t.input_scale = input_scales(boxes, train, settings);
  t.label_scale.assign(bins, 1.0);
  t.label_shift.assign(bins, 0.0);
  if (settings.label_scaling == "standard") label_scales(boxes, train, t);
  t.sigma.assign(boxes.sigma.begin(), boxes.sigma.end());
  for (std::size_t b = 0; b < bins; ++b) {
    const ObservedSmfRow* row = moustakas2013_at((boxes.edges[b] + boxes.edges[b + 1]) / 2);
    require(row != nullptr, "the mass bin ", boxes.edges[b], " to ", boxes.edges[b + 1],
            " lies outside the observed table");
    t.sigma_dex.push_back(row->sigma() / (row->phi * kLn10));
  }
  return t;
}

Fitted to_map(const Transform& t) {
  return {{"input_scale", t.input_scale},
          {"label_scale", t.label_scale},
          {"label_shift", t.label_shift},
          {"sigma", t.sigma},
          {"sigma_dex", t.sigma_dex}};
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
  return {get("input_scale", settings.boxes.features.size()), get("label_scale", bins),
          get("label_shift", bins), get("sigma", bins), get("sigma_dex", bins)};
}

void scale_inputs(BoxSet& boxes, const Transform& transform) {
  const auto voxels = static_cast<std::size_t>(boxes.options.voxels);
  const std::size_t volume = voxels * voxels * voxels, features = transform.input_scale.size();
  for (std::size_t i = 0; i < boxes.input.size(); ++i) {
    boxes.input[i] *= static_cast<float>(transform.input_scale[i / volume % features]);
  }
}
}  // namespace umbra
