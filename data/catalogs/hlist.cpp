#include <array>
#include <cmath>
#include <cstdlib>

#include "data/catalogs/formats.h"
#include "data/catalogs/text_table.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr std::array<ColumnName, 14> kColumns = {{{"x", "x"},
                                                  {"y", "y"},
                                                  {"z", "z"},
                                                  {"Vpeak", "vpeak"},
                                                  {"Vacc", "vacc"},
                                                  {"Mpeak", "mpeak"},
                                                  {"Macc", "macc"},
                                                  {"mvir", "mvir"},
                                                  {"Mvir", "mvir"},  // capital in some releases
                                                  {"Spin", "spin"},
                                                  {"spin", "spin"},
                                                  {"Halfmass_Scale", "halfmass_scale"},
                                                  {"upid", "upid"},
                                                  {"id", "id"}}};

// "#scale(0)" and "Vmax\@Mpeak(74)" become "scale" and "Vmax@Mpeak".
std::string bare_name(std::string_view field) {
  std::string name;
  for (const char c : field.substr(0, field.find('(')))
    if (c != '#' && c != '\\') name += c;
  return name;
}

// The number behind `key` and "=" in a header line ("#Full box size = 250.0 Mpc/h"), if it is there.
std::optional<double> value_after(const std::string& line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t equals = line.find('=', at + key.size());
  if (equals == std::string::npos) return std::nullopt;
  const char* begin = line.c_str() + equals + 1;
  char* end = nullptr;
  const double value = std::strtod(begin, &end);
  return end == begin ? std::nullopt : std::optional(value);
}

void read_header_line(const std::string& line, Catalog& catalog) {
  if (const auto size = value_after(line, "box size")) catalog.box_size = *size;
  if (const auto h = value_after(line, "h0")) catalog.cosmology.h = *h;
  if (const auto omega = value_after(line, "Omega_M")) catalog.cosmology.omega_m = *omega;
}

void check_names(const TextTable& table, const std::string& path) {
  for (const std::string_view name : {"scale", "id", "x", "y", "z", "Vpeak"})
    require(table.field(name) >= 0, "file '", path,
            "' is not an hlist: its first line must name the columns as "
            "'#scale(0) id(1) ...', but '",
            name, "' is not among them");
}

}  // namespace

Catalog read_hlist(const std::filesystem::path& path, const ImportOptions& options, ImportReport* report) {
  TextTable table(path, ' ');
  Catalog catalog;
  for (const char* name : {"x", "y", "z", "vpeak"}) catalog.columns[name];
  ImportReport result;
  std::string line;
  bool named = false;
  double scale = 0;
  while (table.next_line(line)) {
    if (!named) {
      std::vector<std::string> names;
      for (const std::string_view field : table.split(line)) names.push_back(bare_name(field));
      table.set_names(names);
      check_names(table, path.string());
      named = true;
      continue;
    }
    if (line.front() == '#') {
      read_header_line(line, catalog);
      continue;
    }
    const auto fields = table.split(line);
    const double row_scale = table.number(fields, "scale");
    if (result.read++ == 0) scale = row_scale;
    require(row_scale == scale && scale > 0, table.where(), ": the scale factor is ", row_scale,
            ", that of the file is ", scale);
    if (table.number(fields, "Vpeak") < options.min_vpeak) continue;
    table.append_row(line, kColumns, catalog);
  }
  require(named, "file '", path.string(), "' is empty, an hlist is expected");
  if (options.box_size) catalog.box_size = *options.box_size;
  require(catalog.box_size > 0, "file '", path.string(),
          "' does not say its box size; give --box-size in Mpc/h");
  if (scale > 0) catalog.redshift = 1 / scale - 1;
  catalog.source = "consistent-trees catalog " + path.filename().string();
  result.wrapped = validate(catalog, concat("file '", path.string(), "'")).wrapped;
  if (report) *report = result;
  return catalog;
}

}  // namespace umbra
