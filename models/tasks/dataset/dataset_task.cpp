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

// The class with the largest share in each target, as a label.
std::vector<double> labels_of(std::span<const double> shares, std::size_t classes) {
  std::vector<double> labels;
  for (std::size_t i = 0; i < shares.size(); i += classes)
    labels.push_back(static_cast<double>(likeliest(shares.subspan(i, classes))));
  return labels;
}

Tensor on_device(Context& context, const std::vector<double>& numbers) {
  Tensor tensor = allocate_tensor(context.device(), {std::ssize(numbers)}, DType::kF32);
  from_host(numbers, tensor, context.stream);
  return tensor;
}

// Targets are shares q of all classes: the mean over samples of -(sum over k of w[k] q[k] log p[k]).
Objective objective_of_shares(Context& context, Module& network, const DatasetFit& fit) {
  const auto classes = static_cast<std::size_t>(fit.classes);
  std::vector<double> weights(classes, 1.0);
  if (!fit.class_weights.empty()) weights = fit.class_weights;
  for (double& weight : weights)
    weight *= -static_cast<double>(classes);  // the mean is over the classes, too
  const Tensor scale = on_device(context, weights),
               zero = on_device(context, std::vector<double>(classes, 0.0));
  Objective objective;
  objective.predict = [&network](Pass& pass, const Var& input) { return network.forward(pass, input); };
  objective.loss = [scale, zero](Pass& pass, const Var& logits, const Tensor& shares) {
    const Var terms = mul(pass, log_softmax(pass, logits, -1), constant(shares));
    return reduce_axes(pass, affine(pass, terms, scale, zero), AxisReduction::kMean, {});
  };
  objective.metric = [classes](std::span<const double> logits, std::span<const double> shares) {
    return static_cast<double>(wrong_labels(logits, labels_of(shares, classes)));
  };
  return objective;
}

Objective objective_of_classes(Context& context, Module& network, const DatasetFit& fit,
                               double label_smoothing) {
  CrossEntropyOptions options;
  options.label_smoothing = label_smoothing;
  if (!fit.class_weights.empty()) options.class_weights = on_device(context, fit.class_weights);
  Objective objective;
  objective.predict = [&network](Pass& pass, const Var& input) { return network.forward(pass, input); };
  objective.loss = [options](Pass& pass, const Var& logits, const Tensor& labels) {
    return softmax_cross_entropy(pass, logits, labels, options);
  };
  objective.metric = [](std::span<const double> logits, std::span<const double> labels) {
    return static_cast<double>(wrong_labels(logits, labels));
  };
  if (!fit.class_weights.empty()) {
    objective.weight = [weights = fit.class_weights](std::span<const double> labels) {
      double sum = 0;
      for (const double label : labels) sum += weights[static_cast<std::size_t>(label)];
      return sum;
    };
  }
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
  std::error_code problem;
  if (std::filesystem::is_directory(file, problem) || is_in_image_folder(file)) return true;
  try {
    const Hdf5File in = Hdf5File::open(file);
    return in.has_dataset("inputs") || in.has_dataset("targets");
  } catch (const std::exception&) {
    return false;
  }
}

std::unique_ptr<TrainingData> DatasetTask::read(const std::filesystem::path& file,
                                                const StageReport& progress) {
  of.check_images(file);
  return std::make_unique<DatasetData>(file, of, progress);
}

void DatasetTask::keep_choices(const TrainingData& data) {
  const auto& own = dynamic_cast<const DatasetData&>(data);
  const ImageColumns& columns = own.columns();
  const auto keep = [](std::string& setting, const std::string& found) {
    if (setting.empty()) setting = found;
  };
  keep(of.images.labels, columns.table);
  keep(of.images.file_column, columns.files);
  keep(of.images.label_column, columns.labels);
  keep(of.images.name_column, columns.names);
  keep(of.images.split_column, columns.split);
  if (own.image_channels() > 0) of.images.channels.number = own.image_channels();
}

Fitted DatasetTask::neutral(const std::filesystem::path& file) const {
  require(!file.empty(), "task=dataset needs --data: the shapes of inputs and targets are in the file");
  of.check_images(file);
  const DataFile data = open_data_file(file, of);
  const Targets targets = data.targets();
  data.check_settings(of, targets);
  const auto channels = static_cast<std::size_t>(data.input_shape()[0]);
  const auto values = static_cast<std::size_t>(targets.classes > 0 ? 0 : targets.width);
  return to_map({data.input_shape(),
                 targets.classes,
                 std::vector<double>(channels, 0.0),
                 std::vector<double>(channels, 1.0),
                 {},
                 std::vector<double>(values, 0.0),
                 std::vector<double>(values, 1.0)});
}

SampleShape DatasetTask::shape(const Fitted& fitted) const {
  const DatasetFit fit = dataset_fit(fitted, kTheRun);
  return {fit.input_shape, fit.outputs()};
}

Shape DatasetTask::target_shape(const Fitted& fitted) const {
  const DatasetFit fit = dataset_fit(fitted, kTheRun);
  if (fit.classes == 0) return Shape{fit.values()};
  return of.learns_shares() ? Shape{fit.classes} : Shape{};
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
  return dataset_fit(fitted, kTheRun).classes > 0 && !of.learns_shares() ? DType::kI32 : DType::kF32;
}

Objective DatasetTask::objective(Context& context, Module& network, const Fitted& fitted) const {
  const DatasetFit fit = dataset_fit(fitted, kTheRun);
  if (fit.classes == 0) return objective_of_values(network, fit);
  return of.learns_shares() ? objective_of_shares(context, network, fit)
                            : objective_of_classes(context, network, fit, of.label_smoothing);
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
