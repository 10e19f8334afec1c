// The stellar mass function of every sub-box of a catalog. Catalogs are processed piece by piece, so they may
// be of any size (tools/predict/prediction.h).
#include <iostream>

#include "engine/io/hdf5.h"
#include "models/tasks/smf/smf_task.h"
#include "tools/predict/prediction.h"
#include "tools/predict/tasks.h"

namespace umbra {
namespace {

// smf_predicted, smf_true [n, bins], box [n], validation [n]; attributes: bin edges, units, sources.
void write_predictions(const PredictArguments& arguments, const Predictions& predictions,
                       const Experiment& experiment) {
  const BoxSet& boxes = predictions.boxes;
  const std::int64_t bins = boxes.options.smf_bins;
  const SmfSettings& settings = smf_settings(*experiment.config().task);
  Hdf5File file = Hdf5File::create(arguments.out);
  const auto dataset = [&](const std::string& name, const std::vector<float>& values) {
    file.write<float>(name, values, {boxes.count, bins});
    file.set_attribute(name, "unit", boxes.smf_unit);
    file.set_attribute(name, "bin_edges", std::span<const double>(boxes.edges));
    file.set_attribute(name, "bin_edges_unit", "log10 M*/Msun");
  };
  dataset("smf_predicted", predictions.phi);
  if (!predictions.scatter.empty()) {
    dataset("smf_predicted_scatter", predictions.scatter);
    file.set_attribute("smf_predicted_scatter", "meaning",
                       "standard deviation over the members of the ensemble");
  }
  if (!boxes.smf.empty()) dataset("smf_true", boxes.smf);
  file.write<std::int64_t>("box", boxes.box);
  // Which boxes the run was validated on is meaningful only for the catalog it was trained on.
  const auto trained_on = experiment.fitted().find("fingerprint");
  if (trained_on != experiment.fitted().end() && trained_on->second == predictions.fingerprint) {
    std::vector<std::int64_t> validation(static_cast<std::size_t>(boxes.count), 0);
    for (std::int64_t box : settings.split(boxes.count, boxes.per_cube()).validation)
      validation[static_cast<std::size_t>(box)] = 1;
    file.write<std::int64_t>("validation", validation);
    file.set_attribute("validation", "meaning",
                       "1: the run was validated on it, if this is the catalog it was trained on");
  }
  file.set_attribute("/", "run", arguments.run);
  file.set_attribute("/", "source", boxes.source);
  file.set_attribute("/", "h", boxes.h);
  file.set_attribute("/", "subbox_size", boxes.options.subbox_size);
  file.set_attribute("/", "subbox_size_unit", "Mpc/h");
  file.set_attribute("/", "sigma", std::span<const double>(experiment.fitted().at("sigma")));
  file.commit();
}

}  // namespace

void predict_smf(const PredictArguments& arguments, const Networks& networks) {
  const Experiment& experiment = *networks.front();
  require(!is_csv(arguments.out), arguments.out,
          ": the predictions of a catalog are HDF5; a name that does not end in .csv is expected");
  const BoxOptions options =
      box_options_of_run(smf_settings(*experiment.config().task), experiment.fitted(), arguments.run);
  BoxStream stream(arguments.data, options, std::filesystem::path(arguments.out).parent_path(), {},
                   arguments.progress);
  for (const std::string& remark : stream.report().remarks()) std::cout << remark << '\n';
  require(stream.halos() > 0, arguments.data, ": no halo has vpeak >= ", options.min_vpeak,
          " km/s, so there is nothing to predict from");
  const Predictions predictions = predict_stream(stream, networks, arguments.run, arguments.progress);
  write_predictions(arguments, predictions, experiment);
  if (networks.size() > 1) std::cout << "the mean prediction of " << networks.size() << " networks; ";
  std::cout << stream.count() << " sub-boxes predicted; wrote " << arguments.out << '\n';
}

}  // namespace umbra
