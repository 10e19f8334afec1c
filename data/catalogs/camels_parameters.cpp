#include "data/catalogs/camels_parameters.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "data/catalogs/text_table.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

bool is_sigma_8(const std::string& column) {
  return column == "sigma_8" || column == "sigma8";
}

// The parameter table: a line "#Name column ...", then one row per simulation, its name first; separated by
// blanks or commas.
struct Table {
  std::vector<std::string> columns;
  std::map<std::string, std::vector<double>> rows;
};

Table read_table(const std::filesystem::path& path) {
  const std::string where = concat("parameter file '", path.string(), "'");
  TextTable text(path, ' ');
  std::string_view line;
  require(text.next_line(line), where,
          " is empty, a line '#Name ...' and one row per simulation are expected");
  if (line.find(',') != std::string_view::npos) text.set_separator(',');
  const bool marked = line.find('#') != std::string_view::npos;
  text.read_names(line);
  double number = 0;
  require(
      !text.names().empty() && (marked || text.names().size() < 2 || !parse_number(text.names()[1], number)),
      where, ": the first line names no columns, '#Name ...' is expected");
  Table table{{text.names().begin() + 1, text.names().end()}, {}};
  for (const std::string& column : table.columns) {
    require(!column.empty() && column.find('/') == std::string::npos, where, ": '", column,
            "' is not a valid name of a parameter");
    require(std::count(table.columns.begin(), table.columns.end(), column) == 1, where, ": the column '",
            column, "' is named more than once");
  }
  while (text.next_line(line)) {
    if (line.starts_with('#')) continue;
    const auto fields = text.split(line);
    text.check_count(fields);
    std::vector<double> values;
    for (std::size_t i = 1; i < fields.size(); ++i)
      values.push_back(text.number(fields, static_cast<int>(i)));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]) || (is_sigma_8(table.columns[i]) && !(values[i] > 0 && values[i] < 10)))
        fail(text.where(), ": ", table.columns[i], " is ", values[i], ", which no simulation has");
    if (!table.rows.emplace(fields[0], std::move(values)).second)
      fail(text.where(), ": a second row '", fields[0], "'");
  }
  require(!table.rows.empty() && !table.columns.empty(), where,
          " holds no table (a line '#Name ...' and one row per simulation)");
  return table;
}

// Compares a value of the table with the header of a file, if the header has it.
void check_parameter(const std::string& name, double in_table, const CamelsHeader& header,
                     const std::string& where, const std::string& table) {
  constexpr double kSame = 0.01;  // tables are rounded
  const std::pair<const char*, double> known[] = {
      {"Omega_m", header.omega_m}, {"Omega_b", header.omega_b}, {"h", header.h}};
  for (const auto& [column, in_header] : known)
    require(name != column || std::abs(in_table - in_header) <= kSame * in_header, where, ": ", column,
            " is ", in_header, " in the header, but ", in_table, " in the table '", table, "'");
}

}  // namespace

void add_camels_parameters(Catalog& catalog, const std::vector<CamelsFile>& files,
                           const std::vector<CamelsHeader>& headers, const std::filesystem::path& path,
                           ImportReport& report) {
  const Table table = read_table(path);
  std::map<std::string, std::string> place_of;  // [simulation]
  for (const CamelsFile& file : files) {
    const auto [before, is_new] = place_of.emplace(file.simulation, file.place.string());
    require(is_new, "'", before->second, "' and '", file.place.string(), "' would share the row '",
            file.simulation, "' of '", path.string(), "'; import one set at a time");
  }
  for (std::size_t cube = 0; cube < files.size(); ++cube) {
    const CamelsFile& file = files[cube];
    const auto row = table.rows.find(file.simulation);
    require(row != table.rows.end(), "parameter file '", path.string(), "' has no row '", file.simulation,
            "' for '", file.path.string(), "'");
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      check_parameter(table.columns[i], row->second[i], headers[cube],
                      concat("file '", file.path.string(), "'"), path.string());
      catalog.box_parameters[table.columns[i]].push_back(row->second[i]);
    }
  }
  for (const auto& [name, values] : catalog.box_parameters) {
    if (!is_sigma_8(name)) continue;
    catalog.cosmology.sigma_8 =
        std::reduce(values.begin(), values.end()) / static_cast<double>(values.size());
    return;
  }
  report.notes.push_back(
      concat("the table of parameters has no column sigma_8; ", catalog.cosmology.sigma_8, " is assumed"));
}

}  // namespace umbra
