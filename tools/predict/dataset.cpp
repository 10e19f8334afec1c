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

// Calls body(first row, inputs of the rows) for piece after piece of at most `piece` rows; all inputs are finite.
template <class Body>
void for_each_piece(const DataFile& file, std::int64_t piece, const Body& body) {
  const std::unique_ptr<InputRows> inputs = file.inputs("off");
  const std::int64_t row = file.input_shape().count();
  for (std::int64_t first = 0; first < file.count(); first += piece) {
    const std::int64_t rows = std::min(piece, file.count() - first);
    std::vector<double> numbers(static_cast<std::size_t>(rows * row));
    inputs->read(first, numbers);
    body(first, std::move(numbers));
  }
}

void predict_all_rows(const DataFile& file, const Networks& networks, const DatasetFit& fit,
                      const PredictArguments& arguments, DatasetOutput& output) {
  const std::int64_t piece =
      std::min(file.piece(), std::max<std::int64_t>(kMostOutputs / fit.outputs(), kBatch));
  Stage stage(arguments.progress, "predicting", file.count());
  for_each_piece(file, piece, [&](std::int64_t first, std::vector<double> numbers) {
    finite_floats(numbers, fit.input_shape.count(), first, file.name());  // throws if one is not
    output.add(first, predict_piece(networks, fit, std::move(numbers), arguments.run, stage));
  });
}

// What the run used every sample for; empty if that is not known.
std::vector<SamplePart> parts_of_run(const DataFile& file, const KnownTargets& targets,
                                     const Experiment& experiment, const DatasetFit& fit) {
  const auto trained_on = experiment.fitted().find("fingerprint");
  if (fit.sample_keys.empty() && (!file.has_targets() || trained_on == experiment.fitted().end())) return {};
  const InputScan scan = scan_inputs(*file.inputs("off"), {}, file.piece(), file.name());
  const std::vector<double> labels(targets.labels.begin(), targets.labels.end());
  // The file as a whole is surer than its samples: equal ones may have different parts.
  if (file.has_targets() && trained_on != experiment.fitted().end() &&
      trained_on->second == file.fingerprint(scan.fingerprint, labels.empty() ? targets.values : labels))
    return file.parts(dataset_settings(*experiment.config().task), labels);
  return fit.sample_keys.empty() ? std::vector<SamplePart>()
                                 : known_parts(scan.keys, fit.sample_keys, fit.sample_parts);
}

// What the user has to know about the parts: some samples are new to the run, or nobody knows which.
std::string note_on(const std::vector<SamplePart>& parts, const DataFile& file, const std::string& run) {
  const auto are_new = std::count(parts.begin(), parts.end(), SamplePart::kNew);
  if (parts.empty())
    return file.has_targets() ? concat(file.name(), ": not exactly the samples that ", run,
                                       " was trained on, and the run does not say which of them it knows; "
                                       "the predictions have no split")
                              : "";
  if (are_new == 0) return "";
  return concat(are_new, " of ", parts.size(), " samples are new: ", run,
                " was neither trained nor validated on them");
}

// Throws Error if the images of a folder do not have the size that the run takes.
void check_images(const DataFile& file, const DatasetFit& fit, const std::string& run) {
  if (!file.is_folder() || file.input_shape() == fit.input_shape) return;
  const auto text = [](const Shape& shape) {  // [channels, height, width]
    return shape.rank() == 3 ? concat(shape[2], " x ", shape[1], " pixels")
                             : concat("samples of shape ", shape);
  };
  fail(file.name(), ": its images have ", text(file.input_shape()), ", but ", run, " takes ",
       text(fit.input_shape), "; only a run with data.image_size takes images of any size");
}

}  // namespace

void predict_dataset(const PredictArguments& arguments, const Networks& networks) {
  const Experiment& experiment = *networks.front();
  const DatasetFit fit = dataset_fit(experiment.fitted(), arguments.run);
  const std::vector<std::string>& names = experiment.info().names;
  DatasetSettings settings = dataset_settings(*experiment.config().task);
  settings.find_images_next_to(arguments.run, arguments.out);
  settings.images.needs_targets = false;
  settings.images.broken = "skip";  // one row for every image that can be read
  settings.images.of_run.count = fit.classes;
  settings.images.of_run.names = names;
  settings.images.of_run.numbers.assign(fit.class_numbers.begin(), fit.class_numbers.end());
  // A run of an earlier release, or of an HDF5 file, does not record the channels of its images.
  if (!settings.images.channels.number && (fit.input_shape[0] == 1 || fit.input_shape[0] == 3))
    settings.images.channels.number = fit.input_shape[0];
  const DataFile file = open_data_file(arguments.data, settings, arguments.progress);
  for (const std::string& note : file.notes()) std::cout << note << '\n';
  check_images(file, fit, arguments.run);
  check_shape(file.name(), file.input_shape(), fit.input_shape, arguments.run);
  KnownTargets targets;
  if (file.has_targets()) targets = file.known_targets(fit.classes, fit.values(), names);
  const OutputHead head{arguments.run, arguments.data, file.count(),
                        names,         file.files(),   parts_of_run(file, targets, experiment, fit)};
  if (const std::string note = note_on(head.parts, file, arguments.run); !note.empty())
    std::cout << note << '\n';
  const std::unique_ptr<DatasetOutput> output = make_dataset_output(arguments.out, head, fit);
  predict_all_rows(file, networks, fit, arguments, *output);
  output->finish(targets);
  std::cout << file.count() << " samples predicted; wrote " << arguments.out << '\n';
}

}  // namespace umbra
