// forest predict: predicts the stellar mass of every halo of a catalog, and marks halos the forest was fitted
// on.
#include <algorithm>
#include <iostream>
#include <memory>

#include "engine/base/error.h"
#include "engine/io/hdf5.h"
#include "models/forest/predict.h"
#include "tools/common/reading_line.h"
#include "tools/common/stage_line.h"
#include "tools/forest/commands.h"

namespace umbra {
namespace {

struct PredictArguments {
  std::string model, data, out;
  bool overwrite = false;
};

// log_mass_predicted, log_mass_true, row, box, training: [halos].
void write_predictions(const PredictArguments& arguments, const ForestModel& model, const ForestHalos& halos,
                       const std::vector<double>& predicted, const std::vector<std::uint8_t>& seen,
                       double h) {
  Hdf5File file = Hdf5File::create(arguments.out);
  const auto masses = [&](const std::string& name, const std::vector<double>& values) {
    file.write<double>(name, values);
    file.set_attribute(name, "unit", "log10 M*/Msun");
  };
  masses("log_mass_predicted", predicted);
  file.set_attribute("log_mass_predicted", "meaning", "of the galaxy, if the halo has one");
  if (!halos.log_mass.empty()) {
    masses("log_mass_true", halos.log_mass);
    file.set_attribute("log_mass_true", "meaning", "of the catalog; NaN: a halo without a galaxy");
  }
  const auto numbers = [&](const std::string& name, const std::vector<std::int64_t>& values,
                           const char* meaning) {
    file.write<std::int64_t>(name, values);
    file.set_attribute(name, "meaning", meaning);
  };
  numbers("row", halos.row, "row of the halo in the catalog, from 0");
  numbers("box", halos.box, "sub-box, numbered as in the file that predict writes");
  // Which halos the forest has seen is meaningful only for the catalog it was fitted on.
  if (!seen.empty())
    numbers("training", {seen.begin(), seen.end()},
            "1: the forest was fitted on this halo, so its prediction is not a test");
  file.set_attribute("/", "model", arguments.model);
  file.set_attribute("/", "target", name_of(model.target));
  file.set_attribute("/", "source", model.source);
  file.set_attribute("/", "h", h);
  file.set_attribute("/", "min_vpeak", model.min_vpeak);
  file.set_attribute("/", "min_vpeak_unit", "km/s");
  file.set_attribute("/", "subbox_size", model.subbox_size);
  file.set_attribute("/", "subbox_size_unit", "Mpc/h");
  file.commit();
}

void predict(const PredictArguments& arguments) {
  check_writable(arguments.out, {{"--model", arguments.model}, {"--data", arguments.data}},
                 arguments.overwrite);
  ForestModel model = read_forest(arguments.model);
  CatalogReport report;
  const Catalog catalog = read_large_catalog(arguments.data, &report);
  for (const std::string& remark : report.remarks()) std::cout << remark << '\n';
  ForestHalos halos;
  try {
    halos = halos_for(model, catalog, HaloChoice::kAll);
  } catch (const Error& error) {
    fail(arguments.data, ": ", error.what());
  }
  StageLine line;
  const std::vector<double> predicted =
      as_log_mass(ForestPredictor(model.forest).predict(halos.table(), line.report()), model.target);
  const std::vector<std::uint8_t> seen = rows_seen(model, halos);
  model.source = catalog.source;
  write_predictions(arguments, model, halos, predicted, seen, catalog.cosmology.h);
  std::cout << halos.rows() << " halos predicted";
  if (!seen.empty())
    std::cout << ", " << std::count(seen.begin(), seen.end(), 1) << " of which the forest was fitted on";
  if (halos.without_galaxy > 0) std::cout << "; " << halos.without_galaxy << " have no galaxy in the catalog";
  std::cout << "; wrote " << arguments.out << '\n';
}

}  // namespace

void add_predict_command(ToolApp& app, RunCommand& run) {
  const auto arguments = std::make_shared<PredictArguments>();
  CLI::App* command = add_command(app, "predict", "predict the stellar mass of every halo of a catalog");
  command->add_option("--model", arguments->model, "model written by forest fit")->required();
  command->add_option("--data", arguments->data, "catalog (HDF5); stellar masses are not needed")->required();
  command
      ->add_option("--out", arguments->out,
                   "predictions (HDF5): log_mass_predicted, log_mass_true, row, box, training")
      ->required();
  add_overwrite(*command, arguments->overwrite);
  command->callback([&run, arguments] { run = in_first_process([arguments] { predict(*arguments); }); });
}

}  // namespace umbra
