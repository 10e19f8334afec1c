#include "models/tasks/dataset/dataset_task.h"

#include <limits>

#include "models/tasks/dataset/classes.h"

namespace umbra {
namespace {

constexpr const char* kTheRun = "the run";

std::int64_t wrong_labels(std::span<const double> logits, std::span<const double> labels) {
  const std::size_t classes = logits.size() / labels.size();
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    wrong += likeliest(logits.subspan(i * classes, classes)) != static_cast<std::int64_t>(labels[i]) ? 1 : 0;
  return wrong;
}

// The sum over the samples of the mean squared error of a sample's values, in their units.
double squared_errors(std::span<const double> z, std::span<const double> target,
                      const std::vector<double>& scale) {
  double sum = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double error = (z[i] - target[i]) * scale[i % scale.size()];
    sum += error * error;
  }
  return sum / static_cast<double>(scale.size());
}

Objective objective_of_classes(Module& network, double label_smoothing) {
  CrossEntropyOptions options;
  options.label_smoothing = label_smoothing;
  Objective objective;
  objective.predict = [&network](Pass& pass, const Var& input) { return network.forward(pass, input); };
  objective.loss = [options](Pass& pass, const Var& logits, const Tensor& labels) {
    return softmax_cross_entropy(pass, logits, labels, options);
  };
  objective.metric = [](std::span<const double> logits, std::span<const double> labels) {
    return static_cast<double>(wrong_labels(logits, labels));
  };
  return objective;
}

Objective objective_of_values(Module& network, const DatasetFit& fit) {
  Objective objective;
  objective.predict = [&network](Pass& pass, const Var& input) { return network.forward(pass, input); };
  objective.loss = [](Pass& pass, const Var& z, const Tensor& target) {
    return mean_squared_error(pass, z, target);
  };
  objective.metric = [scale = fit.target_scale](std::span<const double> z, std::span<const double> target) {
    return squared_errors(z, target, scale);
  };
  return objective;
}

}  // namespace

std::string DatasetTask::metric(const Fitted& fitted) const {
  return dataset_fit(fitted, kTheRun).classes > 0 ? "error" : "mse";
}

bool DatasetTask::recognises(const std::filesystem::path& file) const {
  try {
    const Hdf5File in = Hdf5File::open(file);
    return in.has_dataset("inputs") || in.has_dataset("targets");
  } catch (const std::exception&) {
    return false;
  }
}

std::unique_ptr<TrainingData> DatasetTask::read(const std::filesystem::path& file) {
  return std::make_unique<DatasetData>(file, of);
}

Fitted DatasetTask::neutral(const std::filesystem::path& file) const {
  require(!file.empty(), "task=dataset needs --data: the shapes of inputs and targets are in the file");
  const DataFile data(file);
  const Targets targets = data.targets();
  data.check_settings(of, targets);
  const auto channels = static_cast<std::size_t>(data.input_shape()[0]);
  const auto values = static_cast<std::size_t>(targets.classes > 0 ? 0 : targets.width);
  return to_map({data.input_shape(), targets.classes, std::vector<double>(channels, 0.0),
                 std::vector<double>(channels, 1.0), std::vector<double>(values, 0.0),
                 std::vector<double>(values, 1.0)});
}

SampleShape DatasetTask::shape(const Fitted& fitted) const {
  const DatasetFit fit = dataset_fit(fitted, kTheRun);
  return {fit.input_shape, fit.outputs()};
}

Shape DatasetTask::target_shape(const Fitted& fitted) const {
  const DatasetFit fit = dataset_fit(fitted, kTheRun);
  return fit.classes > 0 ? Shape{} : Shape{fit.values()};
}

std::vector<double> DatasetTask::combined(const std::vector<std::vector<double>>& of_members,
                                          const Fitted& fitted) const {
  const DatasetFit fit = dataset_fit(fitted, kTheRun);
  if (fit.classes == 0 || of_members.size() == 1) return Task::combined(of_members, fitted);
  const auto classes = static_cast<std::size_t>(fit.classes);
  std::vector<double> mean(of_members.front().size(), 0.0);
  for (const std::vector<double>& logits : of_members) {
    for (std::size_t i = 0; i < mean.size(); i += classes) {
      const std::vector<double> shares = probabilities(std::span(logits).subspan(i, classes));
      for (std::size_t k = 0; k < classes; ++k)
        mean[i + k] += shares[k] / static_cast<double>(of_members.size());
    }
  }
  // A probability of 0 gets the smallest logit, so that all are finite.
  for (double& share : mean) share = std::log(std::max(share, std::numeric_limits<double>::min()));
  return mean;
}

DType DatasetTask::target_dtype(const Fitted& fitted) const {
  return dataset_fit(fitted, kTheRun).classes > 0 ? DType::kI32 : DType::kF32;
}

Objective DatasetTask::objective(Context&, Module& network, const Fitted& fitted) const {
  const DatasetFit fit = dataset_fit(fitted, kTheRun);
  return fit.classes > 0 ? objective_of_classes(network, of.label_smoothing)
                         : objective_of_values(network, fit);
}

const DatasetSettings& dataset_settings(const Task& task) {
  const auto* dataset = dynamic_cast<const DatasetTask*>(&task);
  require(dataset != nullptr, "a run of the task ", DatasetTask::kName, " is expected, not one of the task ",
          task.name());
  return dataset->of;
}

std::unique_ptr<Task> dataset_task() {
  return std::make_unique<DatasetTask>();
}

}  // namespace umbra
