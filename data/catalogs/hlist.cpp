#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "data/catalogs/formats.h"
#include "data/catalogs/recognise.h"
#include "data/catalogs/text_table.h"
#include "data/tables/column_names.h"
#include "engine/base/error.h"
#include "engine/base/listed.h"

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

// The values in header lines, in the spellings of Rockstar, consistent-trees and programs that filter their
// files.
struct Header {
  std::optional<double> box_size, h, omega_m, omega_b, sigma_8, n_s;
};

// The unit of a box size, in Mpc/h.
double mpc_per(std::string unit, const TextTable& table) {
  std::erase(unit, ' ');
  if (unit.starts_with("c")) unit.erase(0, 1);  // comoving
  if (unit.empty()) return 1;
  for (const auto& [length, factor] : {std::pair{std::string("mpc"), 1.0}, {std::string("kpc"), 1e-3}})
    for (const std::string& spelling :
         {length + "/h", length + "h^-1", length + "h-1", "h^-1" + length, "h-1" + length, "h^{-1}" + length})
      if (unit.starts_with(spelling)) return factor;
  fail(table.where(), ": the box size is in '", unit, "', Mpc/h is expected");
}

// "#Full Box size" becomes "full box size".
std::string plain_key(std::string_view text) {
  std::string key;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '#';
    if (!blank)
      key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!key.empty() && key.back() != ' ')
      key += ' ';
  }
  while (key.ends_with(' ')) key.pop_back();
  return key;
}

std::optional<double>* place_of(Header& header, const std::string& key) {
  const auto any = [&](std::initializer_list<const char*> spellings) {
    return std::find(spellings.begin(), spellings.end(), key) != spellings.end();
  };
  if (any({"box size", "box_size", "boxsize", "lbox"}) || key.ends_with(" box size")) return &header.box_size;
  if (any({"h0", "h", "hubble", "hubbleparam", "h_100"})) return &header.h;
  if (any({"omega_m", "om", "omega_matter", "omegam", "omega0", "omega_0"})) return &header.omega_m;
  if (any({"omega_b", "ob", "omega_baryon", "omegab"})) return &header.omega_b;
  if (any({"sigma_8", "sigma8", "s8"})) return &header.sigma_8;
  if (any({"n_s", "ns"})) return &header.n_s;
  return nullptr;
}

// "Om = 0.3; h = 0.7", "Cosmology: Om = 0.3, h = 0.7", "Full box size = 250.0 Mpc/h", "Box size: 250 Mpc/h".
void read_header_line(std::string_view line, const TextTable& table, Header& header) {
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(";,"), line.size());
    const std::string_view part = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    const std::size_t sign = part.find_last_of("=:");
    if (sign == std::string_view::npos) continue;
    const std::string_view before = part.substr(0, sign);
    std::optional<double>* place = place_of(header, plain_key(before.substr(before.rfind(':') + 1)));
    if (place == nullptr) continue;
    const std::string text(part.substr(sign + 1));
    char* rest = nullptr;
    double value = std::strtod(text.c_str(), &rest);
    if (rest == text.c_str()) continue;
    if (place == &header.box_size) value *= mpc_per(plain_key(rest), table);
    if (place == &header.h && value > 10) value /= 100;  // H0 in km/s/Mpc
    if (*place && std::abs(**place - value) > 1e-4 * std::abs(value))
      fail(table.where(), ": ", plain_key(before), " is ", value, ", but an earlier line says ", **place);
    *place = value;
  }
}

void take_cosmology(const Header& header, Catalog& catalog, ImportReport& report) {
  Cosmology& c = catalog.cosmology;
  std::string assumed;
  const auto take = [&](const char* name, const std::optional<double>& said, double& value) {
    if (said) value = *said;
    if (!said) assumed += concat(assumed.empty() ? "" : ", ", name, " = ", value);
  };
  take("h", header.h, c.h);
  take("omega_m", header.omega_m, c.omega_m);
  take("omega_b", header.omega_b, c.omega_b);
  take("sigma_8", header.sigma_8, c.sigma_8);
  take("n_s", header.n_s, c.n_s);
  if (!assumed.empty()) report.notes.push_back("not in the header, assumed: " + assumed);
}

// The needed columns that a file lacks.
std::vector<std::string> missing_names(const FileLook& file) {
  std::vector<std::string> missing;
  for (const std::string_view name : {"x", "y", "z", "Vpeak"})
    if (!file.has_names({name})) missing.emplace_back(name);
  return missing;
}

// What the comments before the rows and the name of the file say.
TableHeader header_in_comments(const std::filesystem::path& path) {
  TextTable table(path, ' ');
  Header header;
  for (std::string_view line; table.next_line(line) && line.starts_with('#');)
    read_header_line(line, table, header);
  TableHeader found{header.box_size, header.h, header.omega_m, header.omega_b, header.sigma_8,
                    header.n_s,      {}};
  if (const auto scale = scale_in_name(path, "hlist_")) found.redshift = 1 / scale->value - 1;
  return found;
}

void check_names(const TextTable& table, const std::string& path) {
  for (const std::string_view name : {"scale", "id", "x", "y", "z", "Vpeak"})
    require(table.field(name) >= 0, "file '", path,
            "' is not an hlist: its first line must name the columns as "
            "'#scale(0) id(1) ...', but '",
            name, "' is not among them", closest_hint(table.names(), name));
}

// Reads all rows. Returns their common scale factor, or 0 if there are none.
double read_rows(TextTable& table, const ImportOptions& options, Header& header, ImportReport& report) {
  RowPlan plan;
  plan.same = table.field("scale");
  plan.same_name = "scale factor";
  if (options.min_vpeak > 0)
    plan.cut = table.field("Vpeak");  // finish_import() checks the rows that are left
  plan.minimum = options.min_vpeak;
  plan.comment = [&](std::int64_t, std::string_view line) {
    table.check_repeated_names(line);
    read_header_line(line, table, header);
  };
  return table.read_rows(std::move(plan), report);
}

}  // namespace

Catalog read_hlist(const std::filesystem::path& path, const ImportOptions& options, ImportReport* report) {
  check_options(options);
  const std::string where = concat("file '", path.string(), "'");
  TextTable table(path, ' ');
  std::string_view line;
  require(table.find_names("scale", line), where, " is empty, an hlist is expected");
  check_names(table, path.string());
  Catalog catalog;
  table.choose(kColumns, options, catalog);
  ImportReport result;
  Header header;
  const double scale = read_rows(table, options, header, result);
  catalog.box_size = settled_box_size(options, header.box_size, std::nullopt, where, result);
  take_cosmology(header, catalog, result);
  const auto named = scale_in_name(path, "hlist_");
  require(!named || scale == 0 || named->agrees_with(scale), where, " has the scale factor ",
          named ? named->value : 0, " in its name, but ", scale, " in its rows");
  if (scale > 0) catalog.redshift = 1 / scale - 1;
  catalog.source = "consistent-trees catalog " + path.filename().string();
  const ImportRows rows{where, [&](std::size_t row) { return table.place(row); }};
  finish_import(catalog, rows, options, result);
  if (report) *report = result;
  return catalog;
}

std::optional<Recognised> recognise_hlist(const FileLook& file) {
  if (!file.has_names({"scale", "id"}) || !missing_names(file).empty()) return std::nullopt;
  Recognised found{open_text_table(file.path())};
  found.how.columns = file.columns_of(kColumns);
  found.header = header_in_comments(file.path());
  return found;
}

void describe_incomplete_hlist(const FileLook& file, Recognised& found) {
  // Names that hardly any other table has together.
  if (!file.has_names({"scale", "id"}) || !(file.has_names({"upid"}) || file.has_names({"desc_scale"})))
    return;
  found.detail =
      concat("a consistent-trees hlist without ", listed(missing_names(file)), ", which import hlist needs");
  found.header = header_in_comments(file.path());
}

}  // namespace umbra
