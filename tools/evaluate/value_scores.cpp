#include "tools/evaluate/value_scores.h"

#include <cmath>

#include "tools/evaluate/class_scores.h"

namespace umbra {

using Json = nlohmann::ordered_json;

ValueScores::ValueScores(std::span<const double> truth, std::size_t width)
    : truth_(truth), width_(width), errors_(width, 0.0), spread_(width, 0.0) {
  const std::size_t samples = truth.size() / width;
  for (std::size_t k = 0; k < width; ++k) {
    double sum = 0;
    for (std::size_t i = 0; i < samples; ++i) sum += truth[i * width + k];
    const double mean = sum / static_cast<double>(samples);
    for (std::size_t i = 0; i < samples; ++i) {
      const double d = truth[i * width + k] - mean;
      spread_[k] += d * d;
    }
  }
}

void ValueScores::add(std::span<const double> predicted) {
  double of_sample = 0;
  for (std::size_t k = 0; k < width_; ++k) {
    const double error = predicted[k] - truth_[samples_ * width_ + k];
    errors_[k] += error * error;
    of_sample += error * error / static_cast<double>(width_);
  }
  sum_ += of_sample;
  squares_ += of_sample * of_sample;
  ++samples_;
}

Json ValueScores::json(const std::vector<std::string>& names) const {
  const auto samples = static_cast<double>(samples_);
  Json result, values = Json::array();
  double explained = 0, varying = 0;
  for (std::size_t k = 0; k < width_; ++k) {
    const double mse = errors_[k] / samples;
    const Json r2 = spread_[k] > 0 ? Json(1 - errors_[k] / spread_[k]) : Json();
    explained += spread_[k] > 0 ? 1 - errors_[k] / spread_[k] : 0;
    varying += spread_[k] > 0 ? 1 : 0;
    values.push_back({{"name", names.empty() ? std::to_string(k) : names[k]},
                      {"mse", mse},
                      {"rmse", std::sqrt(mse)},
                      {"r2", r2}});
  }
  result["mse"] = mean_and_error(sum_, squares_, samples);
  result["rmse"] = std::sqrt(sum_ / samples);
  result["r2"] = varying > 0 ? Json(explained / varying) : Json();
  result["per_target"] = values;
  return result;
}

}  // namespace umbra
