#include <array>

#include "data/catalogs/formats.h"
#include "data/catalogs/text_table.h"
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
  TextTable table(path, ',');
  std::string line;
  require(table.next_line(line), "file '", path.string(),
          "' is empty, a CSV table with a header line is expected");
  std::vector<std::string> names;
  for (const std::string_view field : table.split(line)) names.emplace_back(field);
  table.set_names(names);
  Catalog catalog;
  for (const ColumnName& column : kColumns) {
    const bool needed =
        column.ours == "x" || column.ours == "y" || column.ours == "z" || column.ours == "vpeak";
    require(!needed || table.field(column.foreign) >= 0, "file '", path.string(), "' has no column '",
            column.foreign, "' in its header line, which must name the columns (X,Y,Z,Vpeak,...)");
    if (needed) catalog.columns[std::string(column.ours)];
  }
  ImportReport result;
  for (; table.next_line(line); ++result.read) table.append_row(line, kColumns, catalog);
  catalog.box_size = options.box_size.value_or(kBoxSize);
  catalog.source = "merged UniverseMachine table " + path.filename().string();
  result.wrapped = validate(catalog, concat("file '", path.string(), "'")).wrapped;
  apply_cuts(catalog, options);
  if (report) *report = result;
  return catalog;
}

}  // namespace umbra
