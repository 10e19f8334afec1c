// Classes and values: scores of networks and of a constant prediction on the validation samples of a data file,
// as a table and as JSON.
#include <cmath>
#include <cstdio>

#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "models/tasks/dataset/classes.h"
#include "models/tasks/dataset/dataset_task.h"
#include "tools/evaluate/class_scores.h"
#include "tools/evaluate/tasks.h"
#include "tools/evaluate/value_scores.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostOutputs = 1 << 20;  // numbers in memory at once
constexpr std::int64_t kBatch = 64;

// The targets of the validation samples of a file.
class Truth {
 public:
  explicit Truth(const DatasetData& data) : data_(data), classes_(data.targets().classes) {
    for (const std::int64_t sample : data.split().validation) {
      const auto begin = data.targets().numbers.begin() + sample * data.targets().width;
      numbers_.insert(numbers_.end(), begin, begin + data.targets().width);
    }
  }
  bool of_classes() const { return classes_ > 0; }
  std::size_t width() const { return static_cast<std::size_t>(data_.targets().width); }

  /// Scores of predictions, logits or values, that `feed` passes sample by sample.
  template <class Feed>
  Json score(const std::string& name, const Feed& feed) const {
    Json model = {{"name", name}};
    ClassScores classes(classes_);
    ValueScores values(numbers_, width());
    std::size_t sample = 0;
    feed([&](std::span<const double> predicted) {
      if (!of_classes()) return values.add(predicted);
      const auto label = static_cast<std::size_t>(numbers_[sample++]);
      classes.add(static_cast<std::int64_t>(label), likeliest(predicted), cross_entropy(predicted, label));
    });
    model.update(of_classes() ? classes.json() : values.json(data_.targets().names));
    return model;
  }

  /// The same prediction for every sample.
  Json score_constant(const std::string& name, const std::vector<double>& prediction) const {
    return score(name, [&](const auto& take) {
      for (std::size_t i = 0; i < data_.split().validation.size(); ++i) take(prediction);
    });
  }

 private:
  const DatasetData& data_;
  std::int64_t classes_;
  std::vector<double> numbers_;  // [validation samples, width]
};

Json score_network(const std::string& run, Experiment& experiment, DatasetData& data, const Truth& truth) {
  data.scale(experiment.fitted());
  const DatasetFit fit = dataset_fit(experiment.fitted(), run);
  Cloned<Model> network = experiment.config().model;
  const std::vector<std::int64_t>& all = data.split().validation;
  const auto count = static_cast<std::int64_t>(all.size());
  const std::int64_t piece = std::max(kMostOutputs / fit.outputs(), kBatch);
  Json model = truth.score(concat(network->label(), " (", run, ")"), [&](const auto& take) {
    for (std::int64_t first = 0; first < count; first += piece) {
      const auto begin = all.begin() + first, end = all.begin() + std::min(first + piece, count);
      const std::unique_ptr<Dataset> samples = data.samples({begin, end}, false);
      const Loader loader(*samples, {kBatch, 0, false, false, false});
      std::vector<double> predicted =
          finite_predictions(experiment.context(), experiment.objective(), loader, run);
      const auto outputs = static_cast<std::size_t>(fit.outputs());
      if (fit.classes == 0)
        for (std::size_t i = 0; i < predicted.size(); ++i)
          predicted[i] = fit.value(predicted[i], i % outputs);
      for (std::size_t i = 0; i < predicted.size(); i += outputs)
        take(std::span<const double>(predicted).subspan(i, outputs));
    }
  });
  model["run"] = run;
  model["model"] = network->name();
  model["options"] = options_of(*network);
  model["step"] = experiment.info().step;
  return model;
}

// The part of the result that all runs share: the samples and the baseline.
Json score_all_but_networks(const EvaluateArguments& arguments, const DatasetData& data, const Truth& truth) {
  Json result;
  result["format_version"] = kFormatVersion;
  result["data"] = arguments.data;
  result["training_samples"] = data.split().train.size();
  result["validation_samples"] = data.split().validation.size();
  if (truth.of_classes()) {
    result["classes"] = data.targets().classes;
    if (!data.targets().names.empty()) result["class_names"] = data.targets().names;
  } else {
    result["values"] = data.targets().width;
  }
  result["models"].push_back(
      truth.score_constant(truth.of_classes() ? "most frequent class" : "mean of the training targets",
                           data.constant_prediction()));
  return result;
}

void print_table(const Json& result) {
  const bool classes = result.contains("classes");
  std::printf(classes ? "%-44s %20s %9s %22s\n" : "%-44s %26s %12s %9s\n", "model",
              classes ? "accuracy" : "mean squared error", classes ? "error" : "rmse",
              classes ? "cross-entropy" : "R2");
  for (const Json& model : result["models"]) {
    const auto number = [&](const char* key, const char* of) { return model[key][of].get<double>(); };
    const std::string name = model["name"].get<std::string>();
    if (classes) {
      std::printf("%-44s %10.4f +- %6.4f %9.4f %12.4f +- %6.4f\n", name.c_str(), number("accuracy", "mean"),
                  number("accuracy", "standard_error"), number("error", "mean"),
                  number("cross_entropy", "mean"), number("cross_entropy", "standard_error"));
    } else {
      const std::string r2 =
          model["r2"].is_null() ? "-" : concat(std::round(model["r2"].get<double>() * 1e4) / 1e4);
      std::printf("%-44s %12.5g +- %10.3g %12.5g %9s\n", name.c_str(), number("mse", "mean"),
                  number("mse", "standard_error"), model["rmse"].get<double>(), r2.c_str());
    }
  }
  std::printf("mean over %lld validation samples +- its standard error\n",
              static_cast<long long>(result["validation_samples"].get<std::int64_t>()));
}

void check_comparable(const EvaluateArguments& arguments, const std::string& run,
                      const Experiment& experiment, const DatasetData& data) {
  const auto trained_on = experiment.fitted().find("fingerprint");
  require(trained_on != experiment.fitted().end() && trained_on->second == data.fingerprint(), arguments.data,
          ": not the data set that ", run,
          " was trained on, so its validation samples are unknown; predict accepts any data set");
  require(data.split_of(dataset_settings(*experiment.config().task)).validation == data.split().validation,
          run, ": this run's split differs from that of ", arguments.runs.front(),
          "; runs can only be compared on the same validation samples");
}

}  // namespace

void evaluate_dataset(const EvaluateArguments& arguments) {
  require(arguments.forests.empty(),
          "--forest: forests predict from catalogs; on a data set only runs can be evaluated");
  const RunConfig first = config_of_run(arguments.runs.front());
  DatasetSettings settings = dataset_settings(*first.task);
  settings.resident = "auto";  // for this machine's memory, not that of the machine that trained
  DatasetData data(arguments.data, settings);
  const Truth truth(data);
  Json result = score_all_but_networks(arguments, data, truth);
  for (const std::string& run : arguments.runs) {
    const std::unique_ptr<Experiment> experiment = Experiment::load(run, arguments.device);
    check_comparable(arguments, run, *experiment, data);
    result["models"].push_back(score_network(run, *experiment, data, truth));
  }
  write_json(arguments.out, result);
  print_table(result);
}

}  // namespace umbra
