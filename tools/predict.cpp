// predict: the stellar mass function of every sub-box of a catalog, from a trained run.
#include <iostream>

#include "engine/io/hdf5.h"
#include "tools/common/experiment.h"
#include "tools/common/tool.h"

namespace umbra {
namespace {

struct Arguments {
  std::string run, data, out, device = "auto";
};

// smf_predicted, smf_true [n, bins], box [n], validation [n]; attributes: bin edges, units, sources.
void write_predictions(const Arguments& arguments, const BoxSet& boxes, const Experiment& experiment,
                       const std::vector<double>& phi) {
  const std::int64_t bins = boxes.options.smf_bins;
  const RunConfig& config = experiment.config();
  Hdf5File file = Hdf5File::create(arguments.out);
  const auto dataset = [&](const std::string& name, const std::vector<float>& values) {
    file.write<float>(name, values, {boxes.count, bins});
    file.set_attribute(name, "unit", boxes.smf_unit);
    file.set_attribute(name, "bin_edges", std::span<const double>(boxes.edges));
    file.set_attribute(name, "bin_edges_unit", "log10 M*/Msun");
  };
  dataset("smf_predicted", std::vector<float>(phi.begin(), phi.end()));
  if (!boxes.smf.empty()) dataset("smf_true", boxes.smf);
  file.write<std::int64_t>("box", boxes.box);
  std::vector<std::int64_t> validation(static_cast<std::size_t>(boxes.count), 0);
  const Split split =
      split_boxes(boxes.count, config.train_fraction, static_cast<std::uint64_t>(config.split_seed));
  for (std::int64_t box : split.validation) validation[static_cast<std::size_t>(box)] = 1;
  file.write<std::int64_t>("validation", validation);
  file.set_attribute("validation", "meaning",
                     "1: not used for training, if the run was trained on this very catalog");
  file.set_attribute("/", "run", arguments.run);
  file.set_attribute("/", "source", boxes.source);
  file.set_attribute("/", "subbox_size", config.boxes.subbox_size);
  file.set_attribute("/", "subbox_size_unit", "Mpc/h");
  file.set_attribute("/", "sigma", std::span<const double>(experiment.transform().sigma));
  file.commit();
}

void run(const Arguments& arguments) {
  const std::unique_ptr<Experiment> experiment = Experiment::load(arguments.run, arguments.device);
  CatalogReport report;
  const Catalog catalog = read_catalog(arguments.data, &report);
  if (report.wrapped > 0) std::cout << report.wrapped << " positions lay outside the box and were wrapped\n";
  BoxSet boxes = make_boxes(catalog, experiment->config().box_options());
  scale_inputs(boxes, experiment->transform());
  const bool labelled = !boxes.smf.empty();
  // A catalog without stellar masses is what prediction is for: the labels the loader copies are then zeros
  // nobody reads.
  if (!labelled) boxes.smf.assign(static_cast<std::size_t>(boxes.count * boxes.options.smf_bins), 0.0F);
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < boxes.count; ++i) all.push_back(i);
  const BoxDataset data(boxes, all, {});
  const Loader loader(data, {64, 0, false, false, false});
  const std::vector<double> phi = predict_all(experiment->context(), experiment->task(), loader);
  if (!labelled) boxes.smf.clear();
  write_predictions(arguments, boxes, *experiment, phi);
  std::cout << boxes.count << " sub-boxes predicted; wrote " << arguments.out << '\n';
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Arguments arguments;
  CLI::App app("Predict the stellar mass function of every sub-box of a catalog.", "predict");
  app.add_option("--run", arguments.run, "folder written by train, or one of its checkpoints")->required();
  app.add_option("--data", arguments.data, "catalog (HDF5); stellar masses are not needed")->required();
  app.add_option("--out", arguments.out, "predictions (HDF5): smf_predicted, smf_true, box, validation")
      ->required();
  app.add_option("--device", arguments.device, "auto, cpu, cuda or cuda:N");
  return umbra::run_tool(app, argc, argv, [&] { umbra::run(arguments); });
}
