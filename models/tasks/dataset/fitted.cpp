#include "models/tasks/dataset/fitted.h"

#include <algorithm>
#include <cmath>

namespace umbra {
namespace {

constexpr double kMost = 9007199254740992;  // 2^53

class Reader {
 public:
  Reader(const Fitted& fitted, const std::string& where) : fitted_(fitted), where_(where) {}

  const std::vector<double>& numbers(const std::string& name) const {
    const auto found = fitted_.find(name);
    require(found != fitted_.end(), where_, ": /transform/", name,
            " is missing; a run of task=dataset is expected");
    for (const double number : found->second)
      require(std::isfinite(number), where_, ": /transform/", name, " holds a number that is not finite");
    return found->second;
  }
  std::vector<double> numbers(const std::string& name, std::int64_t length) const {
    const std::vector<double>& all = numbers(name);
    require(static_cast<std::int64_t>(all.size()) == length, where_, ": /transform/", name, " has ",
            all.size(), " numbers, but ", length, " are expected");
    return all;
  }
  std::vector<double> scales(const std::string& name, std::int64_t length) const {
    for (const double number : numbers(name, length))
      require(number > 0, where_, ": /transform/", name, " must be positive");
    return numbers(name, length);
  }
  std::vector<double> weights(const std::string& name, std::int64_t length) const {
    double sum = 0;
    for (const double number : numbers(name, length)) {
      require(number >= 0, where_, ": /transform/", name, " must not be negative");
      sum += number;
    }
    require(sum > 0, where_, ": /transform/", name, " must not be all 0");
    return numbers(name, length);
  }
  std::vector<std::int64_t> integers(const std::string& name, double least) const {
    std::vector<std::int64_t> all;
    for (const double number : numbers(name)) {
      require(number >= least && number <= kMost && number == std::floor(number), where_, ": /transform/",
              name, " holds ", number, ", but an integer from ", least, " is expected");
      all.push_back(static_cast<std::int64_t>(number));
    }
    return all;
  }

 private:
  const Fitted& fitted_;
  const std::string& where_;
};

}  // namespace

void DatasetFit::standardise(std::span<const double> numbers, std::span<float> input) const {
  const std::size_t positions = numbers.size() / input_mean.size();
  for (std::size_t c = 0; c < input_mean.size(); ++c) {
    const double mean = input_mean[c], scale = input_scale[c];
    for (std::size_t i = c * positions; i < (c + 1) * positions; ++i)
      input[i] = static_cast<float>((numbers[i] - mean) / scale);
  }
}

Fitted to_map(const DatasetFit& fit) {
  const auto extents = fit.input_shape.extents();
  Fitted fitted = {{"input_shape", {extents.begin(), extents.end()}},
                   {"input_mean", fit.input_mean},
                   {"input_scale", fit.input_scale},
                   {"classes", {static_cast<double>(fit.classes)}}};
  if (!fit.class_numbers.empty()) fitted["class_numbers"] = fit.class_numbers;
  if (!fit.class_weights.empty()) fitted["class_weights"] = fit.class_weights;
  if (!fit.sample_keys.empty()) {
    fitted["sample_keys"] = fit.sample_keys;
    fitted["sample_parts"] = fit.sample_parts;
  }
  if (fit.classes == 0) {
    fitted["target_mean"] = fit.target_mean;
    fitted["target_scale"] = fit.target_scale;
  }
  return fitted;
}

DatasetFit dataset_fit(const Fitted& fitted, const std::string& where) {
  const Reader reader(fitted, where);
  DatasetFit fit;
  const std::vector<std::int64_t> shape = reader.integers("input_shape", 1);
  require(!shape.empty() && shape.size() <= 4, where, ": /transform/input_shape has ", shape.size(),
          " numbers, but 1 to 4 are expected");
  fit.input_shape = Shape(shape);
  fit.input_mean = reader.numbers("input_mean", shape[0]);
  fit.input_scale = reader.scales("input_scale", shape[0]);
  const std::vector<std::int64_t> classes = reader.integers("classes", 0);
  require(classes.size() == 1 && classes[0] != 1, where,
          ": /transform/classes must be one number, 0 for values or at least 2");
  fit.classes = classes[0];
  if (fitted.contains("class_numbers")) fit.class_numbers = reader.numbers("class_numbers", fit.classes);
  if (fitted.contains("class_weights")) fit.class_weights = reader.weights("class_weights", fit.classes);
  if (fitted.contains("sample_keys")) {
    fit.sample_keys = reader.numbers("sample_keys");
    fit.sample_parts = reader.numbers("sample_parts", std::ssize(fit.sample_keys));
  }
  if (fit.classes > 0) return fit;
  fit.target_mean = reader.numbers("target_mean");
  require(fit.values() > 0, where, ": /transform/target_mean has no number, but at least one is expected");
  fit.target_scale = reader.scales("target_scale", fit.values());
  return fit;
}

}  // namespace umbra
