#include <array>

#include "data/catalogs/formats.h"
#include "data/catalogs/recognise.h"
#include "data/catalogs/text_table.h"
#include "data/tables/column_names.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr double kBoxSize = 250.0;  // Bolshoi-Planck, Mpc/h

constexpr std::array<ColumnName, 14> kColumns = {{{"X", "x"},
                                                  {"Y", "y"},
                                                  {"Z", "z"},
                                                  {"Vpeak", "vpeak"},
                                                  {"Vacc", "vacc"},
                                                  {"Mpeak", "mpeak"},
                                                  {"Macc", "macc"},
                                                  {"mvir", "mvir"},
                                                  {"Spin", "spin"},
                                                  {"Halfmass_Scale", "halfmass_scale"},
                                                  {"upid", "upid"},
                                                  {"id", "id"},
                                                  {"obs_SM", "stellar_mass"},
                                                  {"obs_SFR", "sfr"}}};

}  // namespace

Catalog read_umml_csv(const std::filesystem::path& path, const ImportOptions& options, ImportReport* report) {
  check_options(options);
  const std::string where = concat("file '", path.string(), "'");
  TextTable table(path, ',');
  std::string_view line;
  require(table.find_names("X", line), where, " is empty, a CSV table with a header line is expected");
  for (const char* name : {"X", "Y", "Z", "Vpeak"})
    require(table.field(name) >= 0, where, " has no column '", name,
            "' in its header line, which must name the columns (X,Y,Z,Vpeak,...)",
            closest_hint(table.names(), name), "; import table reads tables with any names");
  Catalog catalog;
  table.choose(kColumns, options, catalog);
  ImportReport result;
  table.read_rows({}, result);
  catalog.box_size = settled_box_size(options, std::nullopt, kBoxSize, where, result);
  note_assumed_cosmology(catalog, result);
  catalog.source = "merged UniverseMachine table " + path.filename().string();
  const ImportRows rows{
      where, [&](std::size_t row) { return table.place(row); }, {"stellar_mass"}, !options.box_size};
  finish_import(catalog, rows, options, result);
  if (report) *report = result;
  return catalog;
}

std::optional<Recognised> recognise_umml_csv(const FileLook& file) {
  if (!file.has_names({"X", "Y", "Z", "Vpeak", "obs_SM"})) return std::nullopt;
  Recognised found{open_text_table(file.path())};
  found.how.columns = file.columns_of(kColumns);
  found.usual_box_size = kBoxSize;
  return found;
}

}  // namespace umbra
