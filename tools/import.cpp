// import: catalogs of other codes into umbra's own file.
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/camels.h"
#include "data/catalogs/catalog.h"
#include "data/catalogs/formats.h"
#include "data/catalogs/summary.h"
#include "tools/common/tool.h"

namespace umbra {
namespace {

struct Options {
  std::string input, out, parameters, hlist;
  ImportOptions cuts;
};

std::optional<std::filesystem::path> optional_path(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::filesystem::path>(text);
}

void finish(const Catalog& catalog, std::int64_t wrapped, const std::string& out) {
  write_catalog(out, catalog);
  std::cout << summary(catalog) << "positions wrapped into the cube: " << wrapped << "\nwrote " << out
            << '\n';
}

void import_camels(const Options& options) {
  CamelsReport report;
  const Catalog catalog = read_camels(options.input, optional_path(options.parameters), &report);
  if (report.skipped > 0) std::cout << "skipped without a circular velocity: " << report.skipped << '\n';
  finish(catalog, report.wrapped, options.out);
}

using Reader = std::function<Catalog(const Options&, ImportReport*)>;

void import_one(const Options& options, const Reader& read) {
  ImportReport report;
  const Catalog catalog = read(options, &report);
  std::cout << "rows in the file: " << report.read << '\n';
  if (report.flagged > 0) std::cout << "left out, flagged to be ignored: " << report.flagged << '\n';
  if (report.unmatched > 0)
    std::cout << "left out, without a halo in the hlist: " << report.unmatched << '\n';
  finish(catalog, report.wrapped, options.out);
}

struct Format {
  const char* name;
  const char* what;
  Reader read;
};

const Format kFormats[] = {
    {"hlist", "consistent-trees hlist_<a>.list: halos only, without galaxies",
     [](const Options& o, ImportReport* report) { return read_hlist(o.input, o.cuts, report); }},
    {"um-bin", "UniverseMachine sfr_catalog_<a>.bin, with --hlist merged by id",
     [](const Options& o, ImportReport* report) {
       return read_um_bin(o.input, optional_path(o.hlist), o.cuts, report);
     }},
    {"umml-csv", "the merged table of Nadler & To (2018), comma-separated",
     [](const Options& o, ImportReport* report) { return read_umml_csv(o.input, o.cuts, report); }},
    {"halotools", "a halotools HDF5 table: halos only, without galaxies",
     [](const Options& o, ImportReport* report) { return read_halotools(o.input, o.cuts, report); }},
};

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::ToolApp app("Turn halo and galaxy catalogs of other codes into catalog.h5.", "import");
  app.require_subcommand(1);
  umbra::Options options;
  const auto add = [&](const char* name, const char* what, const char* input) {
    CLI::App* command = app.add_subcommand(name, what);
    command->set_help_flag("--help", "print this help and exit");
    command->add_option(input, options.input, "what to read")->required();
    command->add_option("--out", options.out, "the catalog to write (HDF5)")->required();
    return command;
  };
  CLI::App* camels =
      add("camels", "CAMELS group catalogs: every */groups_*.hdf5 below a folder, one cube each", "DIR");
  camels->add_option("--parameters", options.parameters,
                     "table of the cubes' parameters (CosmoAstroSeed_*.txt), kept beside the halos");

  std::vector<CLI::App*> commands;
  for (const umbra::Format& format : umbra::kFormats) {
    CLI::App* command = add(format.name, format.what, "FILE");
    command->add_option("--box-size", options.cuts.box_size,
                        "side of the cube in Mpc/h, where the file does not say it");
    command->add_option("--min-vpeak", options.cuts.min_vpeak, "leave out rows below this Vpeak in km/s ...")
        ->capture_default_str();
    if (std::string(format.name).starts_with("um"))
      command
          ->add_option("--min-stellar-mass", options.cuts.min_stellar_mass,
                       "... unless their stellar mass in Msun reaches this")
          ->capture_default_str();
    if (std::string(format.name) == "um-bin")
      command->add_option("--hlist", options.hlist, "the halo catalog that holds Vpeak, merged by id");
    commands.push_back(command);
  }

  return umbra::run_tool(app, argc, argv, [&] {
    if (camels->parsed()) umbra::import_camels(options);
    for (std::size_t i = 0; i < commands.size(); ++i)
      if (commands[i]->parsed()) umbra::import_one(options, umbra::kFormats[i].read);
  });
}
