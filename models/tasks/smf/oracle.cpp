#include "models/tasks/smf/oracle.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "data/boxes/box_halos.h"
#include "engine/base/error.h"
#include "models/tasks/smf/baselines.h"
#include "models/tasks/smf/summaries.h"

namespace umbra {
namespace {

constexpr int kGroups = 10;
constexpr double kWidths[] = {0.005, 0.01, 0.02, 0.04, 0.08}, kFewestPoints[] = {1, 30, 300};

using Indices = std::vector<std::int64_t>;

// Points with the galaxies that are at none of them.
struct Field {
  GalaxyPoints points;
  Matrix rest;  // [box][bins]
};

// Every halo of the catalog is a point.
Field halo_field(const BoxHalos& halos, std::size_t bins) {
  Field field{{halos.begin, {}, {}}, Matrix(halos.begin.size() - 1, std::vector<double>(bins, 0.0))};
  for (std::size_t i = 0; i < halos.size(); ++i) {
    field.points.x.push_back(std::log10(halos.values[0][i]));
    if (halos.bin[i] >= 0) field.points.galaxies.emplace_back(i, halos.bin[i]);
  }
  return field;
}

// Every voxel with a halo above the cut is a point.
Field voxel_field(const BoxHalos& halos, double min_vpeak, std::size_t bins) {
  Field field{{{0}, {}, {}}, Matrix(halos.begin.size() - 1, std::vector<double>(bins, 0.0))};
  for (std::size_t box = 0; box + 1 < halos.begin.size(); ++box) {
    std::vector<std::pair<std::int64_t, std::size_t>> order;  // by voxel
    for (auto i = static_cast<std::size_t>(halos.begin[box]);
         i < static_cast<std::size_t>(halos.begin[box + 1]); ++i)
      order.emplace_back(halos.voxel[i], i);
    std::sort(order.begin(), order.end());
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
      double sum = 0, count = 0;
      for (; last < order.size() && order[last].first == order[first].first; ++last) {
        const double vpeak = halos.values[0][order[last].second];
        if (vpeak < min_vpeak) continue;
        sum += vpeak;
        ++count;
      }
      for (std::size_t k = first; k < last; ++k) {
        const int bin = halos.bin[order[k].second];
        if (bin < 0) continue;
        if (count > 0)
          field.points.galaxies.emplace_back(field.points.x.size(), bin);
        else
          ++field.rest[box][static_cast<std::size_t>(bin)];
      }
      if (count > 0) field.points.x.push_back(std::log10(sum / count));
    }
    field.points.begin.push_back(std::ssize(field.points.x));
  }
  return field;
}

// The regression of a field, with the rest, as phi.
class Estimate {
 public:
  Estimate(const Field& field, const BoxOptions& options, const Indices& train)
      : rest_(field.rest),
        group_(group_of(train, field.rest.size())),
        regression_(field.points, static_cast<std::size_t>(options.smf_bins), group_, kGroups),
        scale_(options.galaxies_per_phi()) {}

  Indices group(int which) const {
    Indices boxes;
    for (std::size_t box = 0; box < group_.size(); ++box)
      if (group_[box] == which) boxes.push_back(static_cast<std::int64_t>(box));
    return boxes;
  }
  // [wanted][bins]
  Matrix phi(const Indices& wanted, const Bandwidth& bandwidth, int without) const {
    Matrix out = regression_.predict(wanted, bandwidth, without);
    std::vector<double> mean(rest_[0].size(), 0.0);
    double boxes = 0;
    for (std::size_t box = 0; box < group_.size(); ++box) {
      if (group_[box] < 0 || group_[box] == without) continue;
      ++boxes;
      for (std::size_t b = 0; b < mean.size(); ++b) mean[b] += rest_[box][b];
    }
    for (std::vector<double>& row : out)
      for (std::size_t b = 0; b < mean.size(); ++b) row[b] = (row[b] + mean[b] / boxes) / scale_;
    return out;
  }

 private:
  static std::vector<int> group_of(const Indices& train, std::size_t boxes) {
    std::vector<int> group(boxes, -1);
    for (std::size_t i = 0; i < train.size(); ++i)
      group[static_cast<std::size_t>(train[i])] = static_cast<int>(i % kGroups);
    return group;
  }

  const Matrix& rest_;
  std::vector<int> group_;  // [box]
  LocalRegression regression_;
  double scale_;  // galaxies / phi
};

// The sum over `boxes` and bins of ((phi - truth) / sigma)^2.
double chi2_of(const BoxSet& truth, const Indices& boxes, const Matrix& phi) {
  double sum = 0;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t b = 0; b < phi[i].size(); ++b) {
      const auto at = static_cast<std::size_t>(boxes[i]) * phi[i].size() + b;
      sum +=
          std::pow((phi[i][b] - static_cast<double>(truth.smf[at])) / static_cast<double>(truth.sigma[b]), 2);
    }
  return sum;
}

Bandwidth chosen_bandwidth(const Estimate& estimate, const BoxSet& truth, Stage& stage) {
  Bandwidth best;
  double least = std::numeric_limits<double>::max();
  for (const double width : kWidths)
    for (const double points : kFewestPoints) {
      double chi2 = 0;
      for (int g = 0; g < kGroups; ++g) {
        const Indices boxes = estimate.group(g);
        chi2 += chi2_of(truth, boxes, estimate.phi(boxes, {width, points}, g));
      }
      if (chi2 < least) least = chi2, best = {width, points};
      stage.add();
    }
  return best;
}

// See Oracle::excess.
double excess_of(const Estimate& estimate, const std::vector<float>& sigma, const Indices& wanted,
                 const Bandwidth& bandwidth) {
  std::vector<Matrix> parts;
  for (int g = 0; g < kGroups; ++g) parts.push_back(estimate.phi(wanted, bandwidth, g));
  double sum = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (std::size_t b = 0; b < sigma.size(); ++b) {
      double mean = 0, squares = 0;
      for (const Matrix& part : parts) mean += part[i][b] / kGroups;
      for (const Matrix& part : parts) squares += std::pow(part[i][b] - mean, 2);
      sum += squares * (kGroups - 1) / kGroups / std::pow(static_cast<double>(sigma[b]), 2);
    }
  return sum / static_cast<double>(wanted.size());
}

}  // namespace

std::vector<Oracle> oracles(const Catalog& catalog, const BoxSet& boxes, const Indices& train,
                            const Indices& wanted, const StageReport& progress) {
  require(train.size() >= kFewestForRidge, "an oracle needs at least ", kFewestForRidge,
          " training boxes, but there are ", train.size());
  BoxOptions options = boxes.options;
  options.features = {"vpeak"};
  options.parameters.clear();
  options.references.clear();
  options.min_vpeak = 0;
  const BoxHalos halos = halos_of_boxes(catalog, options);
  Stage stage(progress, "fitting oracles", 2 * std::size(kWidths) * std::size(kFewestPoints));
  const auto fitted = [&](const char* name, const auto& field_of) {
    const auto start = std::chrono::steady_clock::now();
    const Field field = field_of();
    const Estimate estimate(field, boxes.options, train);
    Oracle oracle{name, {}, chosen_bandwidth(estimate, boxes, stage), 0, 0};
    for (const std::vector<double>& row : estimate.phi(wanted, oracle.bandwidth, -1))
      oracle.predictions.insert(oracle.predictions.end(), row.begin(), row.end());
    oracle.excess = excess_of(estimate, boxes.sigma, wanted, oracle.bandwidth);
    oracle.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return oracle;
  };
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  return {fitted(kHaloOracleName, [&] { return halo_field(halos, bins); }),
          fitted(kVoxelOracleName, [&] { return voxel_field(halos, boxes.options.min_vpeak, bins); })};
}

}  // namespace umbra
