#include "tools/evaluate/class_scores.h"

#include <algorithm>
#include <cmath>

namespace umbra {

using Json = nlohmann::ordered_json;

namespace {

Json share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? Json() : Json(static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

Json mean_and_error(double sum, double squares, double count) {
  const double mean = sum / count, variance = std::max(squares / count - mean * mean, 0.0);
  return {{"mean", mean}, {"standard_error", count > 1 ? std::sqrt(variance / (count - 1)) : 0}};
}

ClassScores::ClassScores(std::int64_t classes)
    : there_(static_cast<std::size_t>(classes)), said_(there_.size()), right_(there_.size()) {
  if (classes <= kMostConfused) confusion_.resize(there_.size() * there_.size());
}

void ClassScores::add(std::int64_t label, std::int64_t predicted, double cross_entropy) {
  const auto is = static_cast<std::size_t>(label), said = static_cast<std::size_t>(predicted);
  ++there_[is];
  ++said_[said];
  if (is == said) ++right_[is];
  if (!confusion_.empty()) ++confusion_[is * there_.size() + said];
  samples_ += 1;
  correct_ += is == said ? 1 : 0;
  sum_ += cross_entropy;
  squares_ += cross_entropy * cross_entropy;
}

Json ClassScores::json() const {
  Json result;
  result["accuracy"] = mean_and_error(correct_, correct_, samples_);
  result["error"] = mean_and_error(samples_ - correct_, samples_ - correct_, samples_);
  result["cross_entropy"] = mean_and_error(sum_, squares_, samples_);
  result["precision"] = result["recall"] = Json::array();
  for (std::size_t k = 0; k < there_.size(); ++k) {
    result["precision"].push_back(share(right_[k], said_[k]));
    result["recall"].push_back(share(right_[k], there_[k]));
  }
  const auto classes = static_cast<std::ptrdiff_t>(there_.size());
  for (auto row = confusion_.begin(); row != confusion_.end(); row += classes)
    result["confusion"].push_back(std::vector<std::int64_t>(row, row + classes));
  return result;
}

}  // namespace umbra
