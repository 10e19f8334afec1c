// predict: the stellar mass function of every sub-box of a catalog, from a trained run.
// Catalogs of any size go through piece by piece (tools/predict/prediction.h).
#include <iostream>

#include "engine/io/atomic_file.h"
#include "engine/io/hdf5.h"
#include "tools/common/tool.h"
#include "tools/predict/prediction.h"

namespace umbra {
namespace {

struct Arguments {
  std::string run, data, out, device = "auto";
  std::optional<Precision> precision;  // as trained
};

// smf_predicted, smf_true [n, bins], box [n], validation [n]; attributes: bin edges, units, sources.
void write_predictions(const Arguments& arguments, const Predictions& predictions,
                       const Experiment& experiment) {
  const BoxSet& boxes = predictions.boxes;
  const std::int64_t bins = boxes.options.smf_bins;
  const RunConfig& config = experiment.config();
  Hdf5File file = Hdf5File::create(arguments.out);
  const auto dataset = [&](const std::string& name, const std::vector<float>& values) {
    file.write<float>(name, values, {boxes.count, bins});
    file.set_attribute(name, "unit", boxes.smf_unit);
    file.set_attribute(name, "bin_edges", std::span<const double>(boxes.edges));
    file.set_attribute(name, "bin_edges_unit", "log10 M*/Msun");
  };
  dataset("smf_predicted", predictions.phi);
  if (!boxes.smf.empty()) dataset("smf_true", boxes.smf);
  file.write<std::int64_t>("box", boxes.box);
  // Which boxes the run was validated on means something only for the catalog it was trained on.
  const auto trained_on = experiment.info().transform.find("fingerprint");
  if (trained_on != experiment.info().transform.end() && trained_on->second == predictions.fingerprint) {
    std::vector<std::int64_t> validation(static_cast<std::size_t>(boxes.count), 0);
    for (std::int64_t box : config.split(boxes.count).validation)
      validation[static_cast<std::size_t>(box)] = 1;
    file.write<std::int64_t>("validation", validation);
    file.set_attribute("validation", "meaning",
                       "1: held out of training, if this is the catalog the run was trained on");
  }
  file.set_attribute("/", "run", arguments.run);
  file.set_attribute("/", "source", boxes.source);
  file.set_attribute("/", "subbox_size", config.boxes.subbox_size);
  file.set_attribute("/", "subbox_size_unit", "Mpc/h");
  file.set_attribute("/", "sigma", std::span<const double>(experiment.transform().sigma));
  file.commit();
}

void run(const Arguments& arguments) {
  const std::unique_ptr<Experiment> experiment =
      Experiment::load(arguments.run, arguments.device, arguments.precision);
  const std::filesystem::path out(arguments.out);
  check_writable(arguments.out, inputs_of(arguments.run, {{"--data", arguments.data}}));
  const BoxOptions options = experiment->config().box_options();
  BoxStream stream(arguments.data, options, out.parent_path());
  if (stream.report().wrapped > 0)
    std::cout << stream.report().wrapped << " positions lay outside the box and were wrapped\n";
  require(stream.halos() > 0, arguments.data, ": no halo has vpeak >= ", options.min_vpeak,
          " km/s, so there is nothing to predict from");
  const Predictions predictions = predict_stream(stream, *experiment, arguments.run);
  write_predictions(arguments, predictions, *experiment);
  std::cout << stream.count() << " sub-boxes predicted; wrote " << arguments.out << '\n';
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Arguments arguments;
  umbra::ToolApp app("Predict the stellar mass function of every sub-box of a catalog.", "predict");
  app.add_option("--run", arguments.run, "folder written by train, or one of its checkpoints")->required();
  app.add_option("--data", arguments.data, "catalog (HDF5); stellar masses are not needed")->required();
  app.add_option("--out", arguments.out, "predictions (HDF5): smf_predicted, smf_true, box, validation")
      ->required();
  app.add_option("--device", arguments.device, "auto, cpu, cuda or cuda:N");
  app.add_option_function<std::string>(
         "--precision", [&](const std::string& name) { arguments.precision = umbra::precision_named(name); },
         "fp32, tf32 (fast on GPUs), or bf16: half the memory, faster on GPUs and on CPUs with bf16 dot "
         "products; default: as trained")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16"}));
  return umbra::run_tool(app, argc, argv, [&] { umbra::run(arguments); });
}
