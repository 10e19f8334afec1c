// import: converts catalogs of other codes to umbra's catalog file.
#include <iostream>
#include <string>
#include <vector>

#include "data/catalogs/camels_files.h"
#include "data/catalogs/summary.h"
#include "tools/common/catalog_output.h"
#include "tools/common/command_line.h"
#include "tools/common/import_formats.h"
#include "tools/common/stage_line.h"

namespace umbra {
namespace {

void print_left_out(std::int64_t rows, const char* why) {
  if (rows > 0) std::cout << "left out, " << why << ": " << rows << '\n';
}

void import(ImportArguments options, const ImportFormat& format) {
  StageLine line;
  options.table.rows.progress = line.report();
  std::vector<InputFile> inputs{
      {"the input", options.input}, {"--parameters", options.parameters}, {"--hlist", options.hlist}};
  // Protects all snapshots in the folder, not only the one that is read.
  std::error_code error;
  require(!std::filesystem::is_directory(options.input, error) ||
              !std::filesystem::exists(options.out, error) || !is_group_catalog(options.out),
          "cannot write '", options.out, "': it is a group catalog, which would be lost");
  check_writable(options.out, inputs, options.overwrite);
  ImportReport report;
  const Catalog catalog = format.read(options, &report);
  std::cout << "rows in the file: " << report.read << '\n';
  print_left_out(report.flagged, "flagged to be ignored");
  print_left_out(report.motionless, "without a circular velocity");
  print_left_out(report.unmatched, "without a halo in the hlist");
  print_left_out(report.bad_rows, "with a bad value");
  for (const std::string& note : report.notes) std::cout << "note: " << note << '\n';
  write_catalog_stage(options.out, catalog, options.table.rows.progress);
  std::cout << summary(catalog) << "positions wrapped into the cube: " << report.wrapped << "\nwrote "
            << options.out << '\n';
}

void add_table_options(CLI::App& command, TableOptions& table) {
  command.add_option(
      "--columns", table.columns,
      "columns and their values in the table, e.g. x=X,vpeak=Vmax,stellar_mass=10**logM: names, "
      "numbers, + - * / **, log10, sqrt; columns of the same name need no mention");
  command.add_option(
      "--units", table.units,
      "units of the values, e.g. x=kpc/h,stellar_mass=log10(Msun), if the file does not contain them");
  command.add_option("--group", table.group, "the HDF5 group or FITS table, if the file has several");
  command.add_option("--h", table.h, "Hubble constant / (100 km/s/Mpc), if the file does not contain it");
}

void add_options(CLI::App& command, const ImportFormat& format, ImportArguments& options) {
  const std::string name = format.name;
  const bool camels = name == "camels";
  ImportOptions& rows = options.table.rows;
  command
      .add_option(
          camels ? "DIR" : "FILE", options.input,
          camels ? "the folder of the simulations" : "file to read; text may be gzip-compressed, or a pipe")
      ->required();
  command.add_option("--out", options.out, "the catalog to write (HDF5)")->required();
  add_overwrite(command, options.overwrite);
  if (name == "table") add_table_options(command, options.table);
  command.add_option("--box-size", rows.box_size,
                     "side of the cube in Mpc/h, if the file does not contain it");
  command.add_option("--min-vpeak", rows.min_vpeak, "leave out rows below this Vpeak in km/s ...")
      ->capture_default_str();
  if (format.has_galaxies)
    command
        .add_option("--min-stellar-mass", rows.min_stellar_mass,
                    "... unless their stellar mass in Msun reaches this")
        ->capture_default_str();
  command.add_option("--drop", rows.drop, "columns not to read, e.g. spin,sfr")->delimiter(',');
  command.add_flag("--skip-bad-rows", rows.skip_bad_rows,
                   "leave out rows with a bad value (NaN, negative, not a number), and count them");
  if (name == "um-bin")
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
  umbra::ImportArguments options;
  std::vector<CLI::App*> commands;
  for (const umbra::ImportFormat& format : umbra::import_formats()) {
    commands.push_back(app.add_subcommand(format.name, format.what));
    umbra::add_options(*commands.back(), format, options);
  }
  return umbra::run_tool(app, argc, argv, [&] {
    for (std::size_t i = 0; i < commands.size(); ++i)
      if (commands[i]->parsed()) umbra::import(options, umbra::import_formats()[i]);
  });
}
