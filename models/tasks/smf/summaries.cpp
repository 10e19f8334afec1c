#include "models/tasks/smf/summaries.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/boxes/features.h"
#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::size_t kHistogramBins = 24;
constexpr double kCell = 1;  // Mpc/h, as the voxels of Nadler & To (2018)
using Indices = std::vector<std::int64_t>;

// Subtracts the mean of the training boxes and divides by their deviation; columns without one are removed.
Matrix standardised(const Matrix& rows, const Indices& train) {
  Matrix out(rows.size());
  const auto count = static_cast<double>(train.size());
  for (std::size_t k = 0; k < rows[0].size(); ++k) {
    double mean = 0, squares = 0;
    for (const std::int64_t box : train) mean += rows[static_cast<std::size_t>(box)][k] / count;
    for (const std::int64_t box : train)
      squares += std::pow(rows[static_cast<std::size_t>(box)][k] - mean, 2) / count;
    const double deviation = std::sqrt(squares);
    if (!(deviation > 1e-12 * std::abs(mean))) continue;
    for (std::size_t box = 0; box < rows.size(); ++box) out[box].push_back((rows[box][k] - mean) / deviation);
  }
  return out;
}

// Calls body(halo) for the halos of a box.
template <class Body>
void for_halos(const BoxHalos& halos, std::size_t box, const Body& body) {
  for (std::int64_t i = halos.begin[box]; i < halos.begin[box + 1]; ++i) body(static_cast<std::size_t>(i));
}

// The mean axis of the halos of every occupied cell. [box][cell]
std::vector<std::vector<float>> cell_means(const BoxHalos& halos) {
  std::vector<std::vector<float>> means(halos.begin.size() - 1);
  parallel_for(std::ssize(means), [&](std::int64_t index) {
    const auto box = static_cast<std::size_t>(index);
    std::vector<std::pair<std::int64_t, std::size_t>> order;  // by cell, then in the order of rows
    for_halos(halos, box, [&](std::size_t i) { order.emplace_back(halos.voxel[i], i); });
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size();) {
      double sum = 0, count = 0;
      for (const std::int64_t cell = order[i].first; i < order.size() && order[i].first == cell; ++i, ++count)
        sum += halos.values[0][order[i].second];
      means[box].push_back(static_cast<float>(sum / count));
    }
  });
  return means;
}

// Cells per logarithmic bin of their mean, between the extremes of the training boxes. [box][bin]
Matrix histogram_of(const std::vector<std::vector<float>>& cells, const Indices& train) {
  double low = std::numeric_limits<double>::max(), high = 0;
  for (const std::int64_t box : train)
    for (const float value : cells[static_cast<std::size_t>(box)]) {
      if (value <= 0) continue;
      low = std::min(low, static_cast<double>(value));
      high = std::max(high, static_cast<double>(value));
    }
  const double step = high > low ? std::log(high / low) / kHistogramBins : 1.0;
  Matrix rows(cells.size(), std::vector<double>(kHistogramBins, 0.0));
  for (std::size_t box = 0; box < rows.size(); ++box)
    for (const float value : cells[box]) {
      if (value <= 0) continue;
      const double place = std::log(static_cast<double>(value) / low) / step;
      rows[box][static_cast<std::size_t>(std::clamp(place, 0.0, kHistogramBins - 1.0))] += 1;
    }
  return rows;
}

// The edges between bins of the axis with equal numbers of training halos. [bins - 1]
std::vector<double> quantiles(const BoxHalos& halos, const Indices& train, std::size_t bins) {
  std::vector<double> values, edges;
  for (const std::int64_t box : train)
    for_halos(halos, static_cast<std::size_t>(box),
              [&](std::size_t i) { values.push_back(halos.values[0][i]); });
  std::sort(values.begin(), values.end());
  for (std::size_t k = 1; k < bins && !values.empty(); ++k) edges.push_back(values[values.size() * k / bins]);
  return edges;
}

// Means of a feature in bins of the axis. [box][bin]
Matrix means_of(const BoxHalos& halos, std::size_t feature, const std::vector<double>& edges,
                const Indices& train) {
  Matrix sums(halos.begin.size() - 1, std::vector<double>(edges.size() + 1, 0.0)), counts = sums;
  for (std::size_t box = 0; box < sums.size(); ++box)
    for_halos(halos, box, [&](std::size_t i) {
      const auto bin = static_cast<std::size_t>(
          std::upper_bound(edges.begin(), edges.end(), halos.values[0][i]) - edges.begin());
      sums[box][bin] += halos.values[feature][i];
      counts[box][bin] += 1;
    });
  for (std::size_t bin = 0; bin <= edges.size(); ++bin) {
    double sum = 0, count = 0;
    for (const std::int64_t box : train) {
      sum += sums[static_cast<std::size_t>(box)][bin];
      count += counts[static_cast<std::size_t>(box)][bin];
    }
    const double mean = count > 0 ? sum / count : 0;
    for (std::size_t box = 0; box < sums.size(); ++box)
      sums[box][bin] = (sums[box][bin] + kPriorHalos * mean) / (counts[box][bin] + kPriorHalos);
  }
  return sums;
}

// Numbers above the lower edge of each bin, as log(1 + number).
Matrix cumulative_logs(Matrix histograms) {
  for (std::vector<double>& row : histograms) {
    for (std::size_t k = row.size() - 1; k-- > 0;) row[k] += row[k + 1];
    for (double& number : row) number = std::log1p(number);
  }
  return histograms;
}

Matrix log_numbers_of_halos(const BoxSet& boxes) {
  Matrix rows;
  for (const std::int64_t halos : boxes.halos) rows.push_back({std::log1p(static_cast<double>(halos))});
  return rows;
}

Matrix parameter_column(const std::vector<double>& values) {
  const bool positive = std::all_of(values.begin(), values.end(), [](double v) { return v > 0; });
  Matrix rows;
  for (const double value : values) rows.push_back({positive ? std::log(value) : value});
  return rows;
}

void add_group(Summary& summary, const Matrix& rows, const Indices& train) {
  Matrix group = standardised(rows, train);
  if (!group[0].empty()) summary.groups.push_back(std::move(group));
}

}  // namespace

Matrix Summary::columns() const {
  Matrix all = groups.front();
  for (std::size_t g = 1; g < groups.size(); ++g)
    for (std::size_t box = 0; box < all.size(); ++box)
      all[box].insert(all[box].end(), groups[g][box].begin(), groups[g][box].end());
  return all;
}

BoxHalos summary_halos(const Catalog& catalog, const BoxOptions& options) {
  BoxOptions wanted = options;
  wanted.voxels = std::max(1, static_cast<int>(std::lround(options.subbox_size / kCell)));
  wanted.parameters.clear();
  wanted.features.clear();
  std::string axis;
  for (const std::string& text : options.features) {
    const Feature feature = parse_feature(text, text);
    const bool relative = feature.kind == Feature::Kind::kResidual;
    if (!relative && (feature.kind != Feature::Kind::kMean || feature.value.names().empty())) continue;
    if (axis.empty() && !relative && feature.value.is_column() && feature.value.text() != kSatellite)
      axis = text;
    else
      wanted.features.push_back(text);
  }
  wanted.features.insert(wanted.features.begin(), axis.empty() ? "vpeak" : axis);
  return halos_of_boxes(catalog, wanted);
}

Summaries summaries_of(const BoxSet& boxes, const BoxHalos& halos, const Indices& train) {
  Summary histogram{kHistogramSummary, {}}, parameters{kParametersSummary, {}};
  const Matrix counts = histogram_of(cell_means(halos), train);
  add_group(histogram, cumulative_logs(counts), train);
  add_group(histogram, log_numbers_of_halos(boxes), train);
  for (const auto& [name, values] : boxes.parameters) add_group(parameters, parameter_column(values), train);
  Summary features{kFeaturesSummary, histogram.groups};
  const std::vector<double> edges = quantiles(halos, train, kFeatureBins);
  for (std::size_t f = 1; f < halos.values.size(); ++f)
    add_group(features, means_of(halos, f, edges, train), train);
  Summaries all{counts, {}};
  const auto add = [&](const Summary& summary) {
    if (!summary.groups.empty()) all.list.push_back(summary);
  };
  const auto add_with_parameters = [&](Summary summary, const char* name) {
    if (summary.groups.empty() || parameters.groups.empty()) return;
    summary.name = concat(name, " and ", parameters.name);
    summary.groups.insert(summary.groups.end(), parameters.groups.begin(), parameters.groups.end());
    all.list.push_back(summary);
  };
  add(histogram);
  add(parameters);
  add_with_parameters(histogram, "the histogram");
  if (features.groups.size() > histogram.groups.size()) {
    add(features);
    add_with_parameters(features, kFeaturesSummary);
  }
  return all;
}

Matrix galaxy_counts(const BoxSet& boxes, const Indices& which) {
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  const double scale = boxes.options.galaxies_per_phi();
  Matrix counts;
  for (const std::int64_t box : which) {
    std::vector<double>& row = counts.emplace_back();
    for (std::size_t bin = 0; bin < bins; ++bin)  // the label is a float: the count is the nearest integer
      row.push_back(
          std::round(scale * static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * bins + bin])));
  }
  return counts;
}

Matrix chosen(const Matrix& of, const Indices& rows) {
  Matrix some;
  for (const std::int64_t row : rows) some.push_back(of[static_cast<std::size_t>(row)]);
  return some;
}

}  // namespace umbra
