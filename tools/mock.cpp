// mock: generates a synthetic universe, writes it as a catalog and prints its quality.
#include "data/mock/mock.h"

#include <chrono>
#include <iostream>

#include "data/mock/quality.h"
#include "tools/common/catalog_output.h"
#include "tools/common/command_line.h"
#include "tools/common/stage_line.h"

namespace umbra {
namespace {

std::vector<mock::Figure> measured(const Catalog& catalog, double min_vpeak, const StageReport& progress) {
  const Stage stage(progress, "measuring the quality");
  return mock::quality(catalog, min_vpeak);
}

void generate(const mock::Options& options, const std::string& out, bool overwrite) {
  check_writable(out, {}, overwrite);
  const auto start = std::chrono::steady_clock::now();
  StageLine line;
  const mock::Mock universe = mock::make(options, line.report());
  const Catalog& catalog = universe.catalog;
  write_catalog_stage(out, catalog, line.report());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const std::vector<mock::Figure> figures = measured(catalog, options.min_vpeak, line.report());
  std::cout << "mock universe, seed " << options.seed << ": " << catalog.rows() << " halos with Vpeak > "
            << options.min_vpeak << " km/s in a periodic cube of " << catalog.box_size << " Mpc/h\n"
            << "matter: 2LPT on " << universe.lattice << "^3 particles, r.m.s. overdensity "
            << universe.matter_sigma << " in " << universe.cells
            << "^3 cells; halos without a free place: " << universe.crowded << '\n'
            << mock::quality_table(figures) << "wrote " << out << " in "
            << std::round(seconds.count() * 10) / 10 << " s\n";
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::ToolApp app(
      "Generate a mock universe at z = 0: halos and galaxies in one periodic cube, with Bolshoi-Planck "
      "cosmology\n"
      "and the abundances of UniverseMachine DR1. Prints the quality of the mock: every quantity with its "
      "target and the\n"
      "standard deviation expected for one box.",
      "mock");
  umbra::mock::Options options;
  std::string out;
  bool overwrite = false;
  app.add_option("--out", out, "the catalog to write (HDF5)")->required();
  umbra::add_overwrite(app, overwrite);
  app.add_option("--box-size", options.box_size, "side of the cube in comoving Mpc/h, 25 to 1000");
  app.add_option("--min-vpeak", options.min_vpeak, "smallest peak circular velocity in km/s, 20 to 1000");
  app.add_option("--seed", options.seed, "seed of the universe; equal seeds give bit-identical catalogs")
      ->check([](const std::string& text) {  // CLI11 would wrap -1 to the largest number
        return std::string(text.starts_with('-') ? "a whole number from 0 is expected, not " + text : "");
      });
  return umbra::run_tool(app, argc, argv, [&] { umbra::generate(options, out, overwrite); });
}
