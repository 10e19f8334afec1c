#include "tools/evaluate/scorer.h"

#include <algorithm>
#include <cmath>

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

// L of engine/ops/loss/chi2.h: log10 with its tangent below the floor.
double log_phi(double phi, double floor) {
  return phi >= floor ? std::log10(phi) : std::log10(floor) + (phi - floor) / (floor * std::log(10.0));
}

// The statistics of a score with the score of every box.
Json of_boxes(const std::vector<double>& values) {
  Json stats = mean_and_error(values);
  stats["of_box"] = values;
  return stats;
}

}  // namespace

double Scorer::truth(std::size_t row, std::size_t bin) const {
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  return static_cast<double>(boxes.smf[static_cast<std::size_t>(wanted[row]) * bins + bin]);
}

Json Scorer::score(const std::string& name, const std::vector<double>& phi) const {
  const std::size_t rows = wanted.size(), bins = phi.size() / rows;
  std::vector<double> linear(rows, 0.0), logarithmic(rows, 0.0);
  Json mean = Json::array(), deviation = Json::array(), residual = Json::array();
  for (std::size_t b = 0; b < bins; ++b) {
    std::vector<double> column, difference;
    for (std::size_t r = 0; r < rows; ++r) {
      const double p = phi[r * bins + b], t = truth(r, b);
      linear[r] += std::pow((p - t) / transform.sigma[b], 2);
      logarithmic[r] +=
          std::pow((log_phi(p, floor) - log_phi(std::max(t, floor), floor)) / transform.sigma_dex[b], 2) /
          static_cast<double>(bins);
      column.push_back(p);
      difference.push_back(p - t);
    }
    const Json stats = mean_and_error(column);
    mean.push_back(stats["mean"]);
    deviation.push_back(stats["standard_deviation"]);
    residual.push_back(mean_and_error(difference)["standard_deviation"]);
  }
  return {{"name", name},
          {"chi2", of_boxes(linear)},
          {"chi2_eq1", of_boxes(logarithmic)},
          {"smf_mean", mean},
          {"smf_standard_deviation", deviation},
          {"residual_standard_deviation", residual}};
}

}  // namespace umbra
