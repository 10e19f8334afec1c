// The class or the values of every sample of a data file or image of a folder, piece by piece: memory contains one
// piece of its inputs and its predictions.
#include <algorithm>
#include <iostream>
#include <numeric>

#include "models/tasks/dataset/dataset_task.h"
#include "models/tasks/dataset/samples.h"
#include "tools/predict/dataset_output.h"
#include "tools/predict/tasks.h"

namespace umbra {
namespace {

constexpr std::int64_t kBatch = 64;
constexpr std::int64_t kMostOutputs = 1 << 20;  // numbers in memory at once

// [rows, outputs] of one piece of the inputs.
std::vector<double> predict_piece(const Networks& networks, const DatasetFit& fit,
                                  std::vector<double> numbers, const std::string& where, Stage& stage) {
  const std::vector<double> no_targets;
  const std::unique_ptr<InputRows> inputs = input_rows(std::move(numbers), fit.input_shape);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(inputs->count()));
  std::iota(rows.begin(), rows.end(), 0);
  const Samples samples(*inputs, no_targets, std::move(rows), fit);
  const Loader loader(samples, {kBatch, 0, false, false, false});
  std::vector<std::vector<double>> all;
  for (const std::unique_ptr<Experiment>& network : networks)
    all.push_back(finite_predictions(network->context(), network->objective(), loader, where, &stage));
  return networks.front()->config().task->combined(all, networks.front()->fitted());
}

// Predicts all rows; returns the fingerprint of all inputs.
Fingerprint predict_all_rows(const DataFile& file, const Networks& networks, const DatasetFit& fit,
                             const PredictArguments& arguments, DatasetOutput& output) {
  const std::unique_ptr<InputRows> inputs = file.inputs("off");
  const std::int64_t row = fit.input_shape.count();
  const std::int64_t piece =
      std::min(file.piece(), std::max<std::int64_t>(kMostOutputs / fit.outputs(), kBatch));
  Fingerprint fingerprint;
  Stage stage(arguments.progress, "predicting", file.count());
  for (std::int64_t first = 0; first < file.count(); first += piece) {
    const std::int64_t rows = std::min(piece, file.count() - first);
    std::vector<double> numbers(static_cast<std::size_t>(rows * row));
    inputs->read(first, numbers);
    fingerprint.add(finite_floats(numbers, row, first, file.name()));
    output.add(first, predict_piece(networks, fit, std::move(numbers), arguments.run, stage));
  }
  return fingerprint;
}

// 1 for every sample held out of training; empty unless the run was trained on this file.
std::vector<std::int64_t> validation_flags(const DataFile& file, const Fingerprint& of_inputs,
                                           const KnownTargets& targets, const Experiment& experiment) {
  const auto trained_on = experiment.fitted().find("fingerprint");
  if (!file.has_targets() || trained_on == experiment.fitted().end()) return {};
  std::vector<double> numbers(targets.labels.begin(), targets.labels.end());
  numbers.insert(numbers.end(), targets.values.begin(), targets.values.end());
  if (trained_on->second != file.fingerprint(of_inputs, numbers)) return {};
  std::vector<std::int64_t> flags(static_cast<std::size_t>(file.count()), 0);
  for (const std::int64_t sample : file.split(dataset_settings(*experiment.config().task)).validation)
    flags[static_cast<std::size_t>(sample)] = 1;
  return flags;
}

}  // namespace

void predict_dataset(const PredictArguments& arguments, const Networks& networks) {
  const Experiment& experiment = *networks.front();
  const DatasetFit fit = dataset_fit(experiment.fitted(), arguments.run);
  const std::vector<std::string>& names = experiment.info().names;
  DatasetSettings settings = dataset_settings(*experiment.config().task);
  settings.keep_images_next_to(arguments.run, false);
  settings.images.needs_targets = false;
  if (fit.classes > 0) settings.images.classes = names;
  const DataFile file = open_data_file(arguments.data, settings, arguments.progress);
  for (const std::string& note : file.notes()) std::cout << note << '\n';
  check_shape(file.name(), file.input_shape(), fit.input_shape, arguments.run);
  KnownTargets targets;
  if (file.has_targets()) targets = file.known_targets(fit.classes, fit.values(), names);
  const OutputHead head{arguments.run, arguments.data, file.count(), names, file.files()};
  const std::unique_ptr<DatasetOutput> output = make_dataset_output(arguments.out, head, fit);
  const Fingerprint of_inputs = predict_all_rows(file, networks, fit, arguments, *output);
  output->finish(targets, validation_flags(file, of_inputs, targets, experiment));
  std::cout << file.count() << " samples predicted; wrote " << arguments.out << '\n';
}

}  // namespace umbra
