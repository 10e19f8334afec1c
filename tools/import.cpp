// import: converts catalogs of other codes to umbra's catalog file.
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/camels.h"
#include "data/catalogs/camels_files.h"
#include "data/catalogs/catalog.h"
#include "data/catalogs/formats.h"
#include "data/catalogs/summary.h"
#include "tools/common/command_line.h"
#include "tools/common/stage_line.h"

namespace umbra {
namespace {

struct Options {
  std::string input, out, parameters, hlist;
  std::optional<std::int64_t> snapshot;
  bool overwrite = false;
  ImportOptions rows;
};

std::optional<std::filesystem::path> optional_path(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::filesystem::path>(text);
}

using Reader = std::function<Catalog(const Options&, ImportReport*)>;

void print_left_out(std::int64_t rows, const char* why) {
  if (rows > 0) std::cout << "left out, " << why << ": " << rows << '\n';
}

void write(const std::string& out, const Catalog& catalog, const StageReport& progress) {
  const Stage stage(progress, "writing");
  write_catalog(out, catalog);
}

void import(Options options, const Reader& read) {
  StageLine line;
  options.rows.progress = line.report();
  std::vector<InputFile> inputs{
      {"the input", options.input}, {"--parameters", options.parameters}, {"--hlist", options.hlist}};
  // Protects all snapshots in the folder, not only the one that is read.
  std::error_code error;
  require(!std::filesystem::is_directory(options.input, error) ||
              !std::filesystem::exists(options.out, error) || !is_group_catalog(options.out),
          "cannot write '", options.out, "': it is a group catalog, which would be lost");
  check_writable(options.out, inputs, options.overwrite);
  ImportReport report;
  const Catalog catalog = read(options, &report);
  std::cout << "rows in the file: " << report.read << '\n';
  print_left_out(report.flagged, "flagged to be ignored");
  print_left_out(report.motionless, "without a circular velocity");
  print_left_out(report.unmatched, "without a halo in the hlist");
  print_left_out(report.bad_rows, "with a bad value");
  for (const std::string& note : report.notes) std::cout << "note: " << note << '\n';
  write(options.out, catalog, options.rows.progress);
  std::cout << summary(catalog) << "positions wrapped into the cube: " << report.wrapped << "\nwrote "
            << options.out << '\n';
}

struct Format {
  const char* name;
  const char* what;
  Reader read;
};

const Format kFormats[] = {
    {"camels",
     "CAMELS group catalogs: every */groups_*.hdf5 or */fof_subhalo_tab_*.hdf5 below a folder, one cube each",
     [](const Options& o, ImportReport* report) {
       return read_camels(o.input, {optional_path(o.parameters), o.snapshot, o.rows}, report);
     }},
    {"hlist", "consistent-trees hlist_<a>.list: halos only, without galaxies",
     [](const Options& o, ImportReport* report) { return read_hlist(o.input, o.rows, report); }},
    {"um-bin", "UniverseMachine sfr_catalog_<a>.bin, with --hlist merged by id",
     [](const Options& o, ImportReport* report) {
       return read_um_bin(o.input, optional_path(o.hlist), o.rows, report);
     }},
    {"umml-csv", "the merged table of Nadler & To (2018), comma-separated",
     [](const Options& o, ImportReport* report) { return read_umml_csv(o.input, o.rows, report); }},
    {"halotools", "a halotools HDF5 table: halos only, without galaxies",
     [](const Options& o, ImportReport* report) { return read_halotools(o.input, o.rows, report); }},
};

void add_options(CLI::App& command, const std::string& format, Options& options) {
  const bool camels = format == "camels", galaxies = camels || format.starts_with("um");
  command
      .add_option(
          camels ? "DIR" : "FILE", options.input,
          camels ? "the folder of the simulations" : "file to read; text may be gzip-compressed, or a pipe")
      ->required();
  command.add_option("--out", options.out, "the catalog to write (HDF5)")->required();
  add_overwrite(command, options.overwrite);
  command.add_option("--box-size", options.rows.box_size,
                     "side of the cube in Mpc/h, if the file does not contain it");
  command.add_option("--min-vpeak", options.rows.min_vpeak, "leave out rows below this Vpeak in km/s ...")
      ->capture_default_str();
  if (galaxies)
    command
        .add_option("--min-stellar-mass", options.rows.min_stellar_mass,
                    "... unless their stellar mass in Msun reaches this")
        ->capture_default_str();
  command.add_option("--drop", options.rows.drop, "columns not to read, e.g. spin,sfr")->delimiter(',');
  command.add_flag("--skip-bad-rows", options.rows.skip_bad_rows,
                   "leave out rows with a bad value (NaN, negative, not a number), and count them");
  if (format == "um-bin")
    command.add_option("--hlist", options.hlist, "the halo catalog with Vpeak, merged by id");
  if (!camels) return;
  command.add_option("--parameters", options.parameters,
                     "table of the cubes' parameters (CosmoAstroSeed_*.txt), stored with the halos");
  command.add_option("--snapshot", options.snapshot, "the snapshot to read if a folder has several, e.g. 90");
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::ToolApp app("Turn halo and galaxy catalogs of other codes into catalog.h5.", "import");
  app.require_subcommand(1);
  umbra::Options options;
  std::vector<CLI::App*> commands;
  for (const umbra::Format& format : umbra::kFormats) {
    commands.push_back(app.add_subcommand(format.name, format.what));
    umbra::add_options(*commands.back(), format.name, options);
  }
  return umbra::run_tool(app, argc, argv, [&] {
    for (std::size_t i = 0; i < commands.size(); ++i)
      if (commands[i]->parsed()) umbra::import(options, umbra::kFormats[i].read);
  });
}
