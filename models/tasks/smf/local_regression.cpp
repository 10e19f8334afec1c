#include "models/tasks/smf/local_regression.h"

#include <algorithm>
#include <cmath>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::size_t kCells = 512;
constexpr double kReach = 4;  // widths: exp(-8) of the weight is left

}  // namespace

LocalRegression::LocalRegression(const GalaxyPoints& points, std::size_t bins, const std::vector<int>& group,
                                 int groups)
    : bins_(bins),
      begin_(points.begin),
      cell_(points.x.size(), 0),
      sums_(static_cast<std::size_t>(groups), Curve(kCells, std::vector<double>(bins + 1, 0.0))) {
  if (points.x.empty()) return;
  const auto [low, high] = std::minmax_element(points.x.begin(), points.x.end());
  if (*high > *low) step_ = (*high - *low) / (kCells - 1);
  std::vector<int> group_of(cell_.size());  // [point]
  for (std::size_t box = 0; box + 1 < begin_.size(); ++box)
    for (auto i = static_cast<std::size_t>(begin_[box]); i < static_cast<std::size_t>(begin_[box + 1]); ++i) {
      cell_[i] = static_cast<std::size_t>(std::lround((points.x[i] - *low) / step_));
      group_of[i] = group[box];
      if (group[box] >= 0) sums_[static_cast<std::size_t>(group[box])][cell_[i]][0] += 1;
    }
  for (const auto& [point, bin] : points.galaxies) {
    if (group_of[point] < 0) continue;
    sums_[static_cast<std::size_t>(group_of[point])][cell_[point]][static_cast<std::size_t>(bin) + 1] += 1;
  }
}

// The curve of all bins at a cell.
std::vector<double> LocalRegression::value(const Curve& sums, const Bandwidth& bandwidth,
                                           std::size_t cell) const {
  constexpr double kStraight = 0.1;  // widths: of points that lie closer together the mean is taken
  const auto from = [&](std::size_t reach) { return cell - std::min(cell, reach); };
  const auto to = [&](std::size_t reach) { return std::min(cell + reach, kCells - 1); };
  auto radius = static_cast<std::size_t>(bandwidth.width / step_);
  double inside = 0;
  for (std::size_t c = from(radius); c <= to(radius); ++c) inside += sums[c][0];
  double width = bandwidth.width;
  while (inside < bandwidth.points && radius < kCells) {
    ++radius;
    if (cell >= radius) inside += sums[cell - radius][0];
    if (cell + radius < kCells) inside += sums[cell + radius][0];
    width = static_cast<double>(radius) * step_;
  }
  const auto reach = static_cast<std::size_t>(kReach * width / step_);
  double weight = 0, first = 0, second = 0;      // sums of w, w d and w d^2
  std::vector<double> galaxies(2 * bins_, 0.0);  // [bins] of w N, then of w d N
  for (std::size_t c = from(reach); c <= to(reach); ++c) {
    if (sums[c][0] == 0) continue;
    const double d = (static_cast<double>(c) - static_cast<double>(cell)) * step_ / width;
    const double w = std::exp(-d * d / 2);
    weight += w * sums[c][0];
    first += w * sums[c][0] * d;
    second += w * sums[c][0] * d * d;
    for (std::size_t b = 0; b < bins_; ++b) {
      galaxies[b] += w * sums[c][b + 1];
      galaxies[bins_ + b] += w * d * sums[c][b + 1];
    }
  }
  std::vector<double> at(bins_, 0.0);
  if (weight == 0) return at;
  const double variance = second / weight - std::pow(first / weight, 2);
  for (std::size_t b = 0; b < bins_; ++b) {
    const double mean = galaxies[b] / weight;
    const double slope = variance > kStraight * kStraight
                             ? (galaxies[bins_ + b] / weight - mean * first / weight) / variance
                             : 0.0;
    at[b] = std::max(mean - slope * first / weight, 0.0);
  }
  return at;
}

Matrix LocalRegression::predict(const std::vector<std::int64_t>& wanted, const Bandwidth& bandwidth,
                                int without) const {
  Curve sums(kCells, std::vector<double>(bins_ + 1, 0.0));
  for (std::size_t g = 0; g < sums_.size(); ++g) {
    if (static_cast<int>(g) == without) continue;
    for (std::size_t c = 0; c < kCells; ++c)
      for (std::size_t k = 0; k <= bins_; ++k) sums[c][k] += sums_[g][c][k];
  }
  std::vector<char> needed(kCells, 0);
  const auto for_points = [&](std::int64_t box, const auto& body) {
    const auto b = static_cast<std::size_t>(box);
    for (auto i = static_cast<std::size_t>(begin_[b]); i < static_cast<std::size_t>(begin_[b + 1]); ++i)
      body(cell_[i]);
  };
  for (const std::int64_t box : wanted) for_points(box, [&](std::size_t cell) { needed[cell] = 1; });
  Curve curve(kCells);
  parallel_chunks(kCells, 32, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c)
      if (needed[c] != 0) curve[c] = value(sums, bandwidth, c);
  });
  Matrix out(wanted.size(), std::vector<double>(bins_, 0.0));
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for_points(wanted[i], [&](std::size_t cell) {
      for (std::size_t b = 0; b < bins_; ++b) out[i][b] += curve[cell][b];
    });
  return out;
}

}  // namespace umbra
