// Classes and values: scores of networks and of a constant prediction on the validation or test samples of a data file,
// as a table and as JSON.
#include <cmath>
#include <cstdio>

#include "engine/io/atomic_file.h"
#include "engine/io/config_text.h"
#include "engine/io/format_version.h"
#include "models/tasks/dataset/classes.h"
#include "models/tasks/dataset/dataset_task.h"
#include "tools/evaluate/class_scores.h"
#include "tools/evaluate/ensemble_row.h"
#include "tools/evaluate/tasks.h"
#include "tools/evaluate/value_scores.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostOutputs = 1 << 20;  // numbers in memory at once
constexpr std::int64_t kBatch = 64;

// The targets of the samples of one part of a file.
class Truth {
 public:
  Truth(const DatasetData& data, SamplePart part)
      : data_(data), classes_(data.targets().classes), rows_(rows_of(data.parts(), part)) {
    for (const std::int64_t sample : rows_) {
      const auto begin = data.targets().numbers.begin() + sample * data.targets().width;
      numbers_.insert(numbers_.end(), begin, begin + data.targets().width);
    }
  }
  bool of_classes() const { return classes_ > 0; }
  /// The samples.
  const std::vector<std::int64_t>& rows() const { return rows_; }
  std::size_t width() const { return static_cast<std::size_t>(data_.targets().width); }

  /// Scores of predictions that are added in the order of the samples.
  class Score {
   public:
    explicit Score(const Truth& truth)
        : truth_(truth), classes_(truth.classes_), values_(truth.numbers_, truth.width()) {}
    /// Adds predictions, logits or values, of the next samples: [samples, outputs].
    void add(const std::vector<double>& predicted, std::size_t outputs) {
      for (std::size_t i = 0; i < predicted.size(); i += outputs)
        add(std::span<const double>(predicted).subspan(i, outputs));
    }
    Json json(const std::string& name) const {
      Json model = {{"name", name}};
      model.update(truth_.of_classes() ? classes_.json() : values_.json(truth_.data_.targets().names));
      return model;
    }

   private:
    void add(std::span<const double> predicted) {
      if (!truth_.of_classes()) return values_.add(predicted);
      const auto label = static_cast<std::size_t>(truth_.numbers_[sample_++]);
      classes_.add(static_cast<std::int64_t>(label), likeliest(predicted), cross_entropy(predicted, label));
    }

    const Truth& truth_;
    ClassScores classes_;
    ValueScores values_;
    std::size_t sample_ = 0;
  };

  /// The same prediction for every sample.
  Json score_constant(const std::string& name, const std::vector<double>& prediction) const {
    Score score(*this);
    for (std::size_t i = 0; i < rows_.size(); ++i) score.add(prediction, prediction.size());
    return score.json(name);
  }

 private:
  const DatasetData& data_;
  std::int64_t classes_;
  std::vector<std::int64_t> rows_;
  std::vector<double> numbers_;  // [samples, width]
};

// The scores of a run, or of an ensemble with its members.
Json score_run(const std::string& run, const Networks& networks, DatasetData& data, const Truth& truth,
               const StageReport& progress) {
  const Experiment& first = *networks.front();
  data.scale(first.fitted());
  const DatasetFit fit = dataset_fit(first.fitted(), run);
  const std::vector<std::string> folders = members_of(run);
  const auto outputs = static_cast<std::size_t>(fit.outputs());
  std::vector<Truth::Score> scores(networks.size() + 1,
                                   Truth::Score(truth));  // of the members, and of their mean
  const auto add = [&](Truth::Score& score, std::vector<double> predicted) {
    for (std::size_t i = 0; i < predicted.size() && fit.classes == 0; ++i)
      predicted[i] = fit.value(predicted[i], i % outputs);
    score.add(predicted, outputs);
  };
  const std::vector<std::int64_t>& all = truth.rows();
  const auto count = static_cast<std::int64_t>(all.size());
  const std::int64_t piece = std::max(kMostOutputs / fit.outputs(), kBatch);
  Stage stage(progress, concat("scoring ", run), count * std::ssize(networks));
  for (std::int64_t begin = 0; begin < count; begin += piece) {
    const auto from = all.begin() + begin, to = all.begin() + std::min(begin + piece, count);
    const std::unique_ptr<Dataset> samples = data.samples({from, to});
    const Loader loader(*samples, {kBatch, 0, false, false, false});
    std::vector<std::vector<double>> predicted;
    for (std::size_t i = 0; i < networks.size(); ++i) {
      predicted.push_back(
          finite_predictions(networks[i]->context(), networks[i]->objective(), loader, folders[i], &stage));
      add(scores[i], predicted[i]);
    }
    add(scores.back(), first.config().task->combined(predicted, first.fitted()));
  }
  Cloned<Model> network = first.config().model;
  const auto row = [&](const Truth::Score& score, const std::string& what, const std::string& of) {
    Json model = score.json(concat(network->label(), what, " (", of, ")"));
    model["run"] = of;
    model["model"] = network->name();
    model["options"] = options_of(*network);
    return model;
  };
  Json members = Json::array();
  for (std::size_t i = 0; i < networks.size(); ++i) {
    members.push_back(row(scores[i], "", folders[i]));
    members.back()["step"] = networks[i]->info().step;
  }
  if (networks.size() == 1) return members.front();
  Json model = row(scores.back(), ", mean prediction", run);
  const std::vector<std::string> of_classes{"accuracy", "error", "cross_entropy"};
  add_members(model, concat(network->label(), ", ", networks.size(), " seeds (", run, ")"), members,
              truth.of_classes() ? of_classes : std::vector<std::string>{"mse"});
  return model;
}

// The part of the result that all runs share: the samples and the baseline.
Json score_all_but_networks(const EvaluateArguments& arguments, const DatasetData& data, const Truth& truth) {
  Json result;
  result["format_version"] = kFormatVersion;
  result["data"] = arguments.data;
  result["training_samples"] = data.split().train.size();
  result[arguments.split + "_samples"] = truth.rows().size();
  if (truth.of_classes()) {
    result["classes"] = data.targets().classes;
    if (!data.targets().names.empty()) result["class_names"] = data.targets().names;
  } else {
    result["values"] = data.targets().width;
  }
  result["models"].push_back(truth.score_constant(data.constant_name(), data.constant_prediction()));
  return result;
}

// The share of the samples of every class that is found, and of what is taken for it that is right.
void print_classes(const Json& result, const Json& model) {
  constexpr std::size_t kMost = 30;
  if (!model.contains("confusion") || model["confusion"].size() > kMost) return;
  std::printf("%-44s %20s %9s %9s\n", concat("classes of ", model["run"].get<std::string>()).c_str(),
              "samples", "recall", "precision");
  for (std::size_t k = 0; k < model["confusion"].size(); ++k) {
    std::int64_t samples = 0;
    for (const Json& count : model["confusion"][k]) samples += count.get<std::int64_t>();
    const auto share = [&](const char* key) {
      char number[16] = "-";
      if (model[key][k].is_number())
        std::snprintf(number, sizeof number, "%.4f", model[key][k].get<double>());
      return std::string(number);
    };
    const std::string name =
        result.contains("class_names") ? result["class_names"][k].get<std::string>() : std::to_string(k);
    std::printf("  %-42s %20lld %9s %9s\n", name.c_str(), static_cast<long long>(samples),
                share("recall").c_str(), share("precision").c_str());
  }
}

void print_table(const Json& result, const std::string& split) {
  const bool classes = result.contains("classes");
  std::printf(classes ? "%-44s %20s %9s %22s\n" : "%-44s %26s %12s %9s\n", "model",
              classes ? "accuracy" : "mean squared error", classes ? "error" : "rmse",
              classes ? "cross-entropy" : "R2");
  const auto print = [&](const Json& model, const char* error) {
    const auto number = [&](const char* key, const char* of) { return model[key][of].get<double>(); };
    const std::string name = model["name"].get<std::string>();
    if (classes) {
      std::printf("%-44s %10.4f +- %6.4f %9.4f %12.4f +- %6.4f\n", name.c_str(), number("accuracy", "mean"),
                  number("accuracy", error), number("error", "mean"), number("cross_entropy", "mean"),
                  number("cross_entropy", error));
    } else {
      const Json r2 = model.value("r2", Json());
      std::printf("%-44s %12.5g +- %10.3g %12.5g %9s\n", name.c_str(), number("mse", "mean"),
                  number("mse", error), std::sqrt(number("mse", "mean")),
                  r2.is_null() ? "-" : concat(std::round(r2.get<double>() * 1e4) / 1e4).c_str());
    }
  };
  for (const Json& model : result["models"]) {
    if (model.contains("seeds")) print(model["seeds"], "scatter");
    print(model, "standard_error");
  }
  if (classes)
    for (const Json& model : result["models"])
      if (model.contains("run")) print_classes(result, model);
  std::printf("mean over %lld %s samples +- its standard error%s\n",
              static_cast<long long>(result[split + "_samples"].get<std::int64_t>()), split.c_str(),
              explained_scatter(result).c_str());
}

// "data.image_size=64, not 32; data.image_crop=…": how the images of a folder are read by the settings of a run and not
// by those of another.
std::string images_read_otherwise(const DatasetSettings& of_run, const DatasetSettings& of_first) {
  ImageOptions run = of_run.images, first = of_first.images;
  const std::vector<Setting> all = run.bind(), others = first.bind();
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string own = toml_of(all[i]), other = toml_of(others[i]);
    if (own != other && !all[i].may_change)
      text += concat(text.empty() ? "" : "; ", all[i].key, "=", own, ", not ", other);
  }
  return text;
}

void check_comparable(const EvaluateArguments& arguments, const std::string& run,
                      const Experiment& experiment, const DatasetData& data,
                      const DatasetSettings& settings) {
  const auto trained_on = experiment.fitted().find("fingerprint");
  if (trained_on == experiment.fitted().end() || trained_on->second != data.fingerprint()) {
    const std::string otherwise =
        data.image_channels() == 0
            ? ""
            : images_read_otherwise(dataset_settings(*experiment.config().task), settings);
    require(otherwise.empty(), run, ": this run reads the images otherwise than ", arguments.runs.front(),
            " (", otherwise, "); evaluate them one by one");
    fail(arguments.data, ": not the data set that ", run,
         " was trained on, so its validation samples are unknown; predict accepts any data set");
  }
  require(data.splits_as(dataset_settings(*experiment.config().task)), run,
          ": this run's split differs from that of ", arguments.runs.front(),
          "; runs can only be compared on the same validation samples");
}

}  // namespace

void evaluate_dataset(const EvaluateArguments& arguments) {
  require(arguments.forests.empty(),
          "--forest: forests predict from catalogs; on a data set only runs can be evaluated");
  require(arguments.reference.empty(),
          "--reference: box by box, models of catalogs can be compared; on a data set their scores");
  const RunConfig first = config_of_run(arguments.runs.front());
  DatasetSettings settings = dataset_settings(*first.task);
  settings.resident = "auto";  // for this machine's memory, not that of the machine that trained
  settings.find_images_next_to(arguments.runs.front(), arguments.out);
  DatasetData data(arguments.data, settings, arguments.progress);
  const Truth truth(data, arguments.split == "test" ? SamplePart::kTest : SamplePart::kValidation);
  require(!truth.rows().empty(), arguments.data,
          ": --split test: it has no test samples, which /split marks with 2, a table of images with test");
  Json result = score_all_but_networks(arguments, data, truth);
  for (const std::string& run : arguments.runs) {
    const Networks networks = load_networks(run, arguments.device, {}, arguments.epoch);
    check_comparable(arguments, run, *networks.front(), data, settings);
    result["models"].push_back(score_run(run, networks, data, truth, arguments.progress));
  }
  write_json(arguments.out, result);
  print_table(result, arguments.split);
}

}  // namespace umbra
