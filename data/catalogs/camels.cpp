#include "data/catalogs/camels.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "data/catalogs/camels_files.h"
#include "data/catalogs/catalog_checks.h"
#include "data/catalogs/import_rows.h"
#include "data/catalogs/text_table.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"

namespace umbra {
namespace {

constexpr double kFiducialSigma8 = 0.8;  // of every CAMELS set, and n_s likewise
constexpr double kSpectralIndex = 0.9624;
constexpr double kKpcPerMpc = 1000.0;
constexpr double kSmallestInKpc = 1000.0;  // a smaller BoxSize is in Mpc/h: no cube has a side below 1 Mpc/h
constexpr double kMassUnit = 1e10;         // Msun/h
constexpr std::int64_t kStars = 4;         // particle type

struct Header {
  double box_size;  // Mpc/h
  bool in_mpc;      // as the file has it
  double h, omega_m, omega_b, redshift;
  std::int64_t subhalos;
};

Header read_header(const Hdf5File& file, std::optional<double> box_size) {
  require(file.has_group("Header") && file.has_attribute("Header", "Nsubgroups_Total"), "file '",
          file.path().string(),
          "' is not a SUBFIND catalog: the group 'Header' with Nsubgroups_Total is missing");
  const bool said = !box_size || file.has_attribute("Header", "BoxSize");
  const double side = said ? file.attribute_number("Header", "BoxSize") : *box_size;
  const bool in_mpc = side < kSmallestInKpc;
  Header header{in_mpc ? side : side / kKpcPerMpc,
                in_mpc,
                file.attribute_number("Header", "HubbleParam"),
                file.attribute_number("Header", "Omega0"),
                file.attribute_number("Header", "OmegaBaryon"),
                file.attribute_number("Header", "Redshift"),
                file.attribute_integer("Header", "Nsubgroups_ThisFile")};
  const std::int64_t total = file.attribute_integer("Header", "Nsubgroups_Total");
  require(header.subhalos == total, "file '", file.path().string(), "' holds ", header.subhalos, " of ",
          total, " subhalos: catalogs in several parts are not read");
  require(header.subhalos >= 0, "file '", file.path().string(), "' claims ", header.subhalos, " subhalos");
  if (std::abs(header.redshift) < 1e-6) header.redshift = 0;  // written as 2e-16 by some versions
  return header;
}

// The subhalo tables of one file.
struct Subhalos {
  std::vector<float> position;   // [N, 3], kpc/h
  std::vector<float> vmax;       // [N], km/s
  std::vector<float> mass;       // [N], 1e10 Msun/h
  std::vector<float> mass_type;  // [N, 6], 1e10 Msun/h
  std::vector<float> sfr;        // [N], Msun/yr
  std::vector<std::int64_t> group;
  std::vector<std::int64_t> first;  // [groups]
};

// Those of the columns that are not dropped; the others are as good as zero.
Subhalos read_subhalos(const Hdf5File& file, std::int64_t n, const ImportOptions& options) {
  Subhalos s;
  if (n == 0) return s;  // SUBFIND writes no datasets then
  s.position = file.read<float>("Subhalo/SubhaloPos", Shape{n, 3});
  s.vmax = file.read<float>("Subhalo/SubhaloVmax", Shape{n});
  const auto column = [&](const char* ours, const char* dataset, const Shape& shape) {
    return is_dropped(options, ours) ? std::vector<float>(static_cast<std::size_t>(shape.count()))
                                     : file.read<float>(dataset, shape);
  };
  s.mass = column("mvir", "Subhalo/SubhaloMass", Shape{n});
  s.mass_type = column("stellar_mass", "Subhalo/SubhaloMassType", Shape{n, 6});
  s.sfr = column("sfr", "Subhalo/SubhaloSFR", Shape{n});
  if (is_dropped(options, "upid")) {
    s.group.assign(static_cast<std::size_t>(n), 0);
    s.first = {0};
    return s;
  }
  s.group = file.read<std::int64_t>("Subhalo/SubhaloGrNr", Shape{n});
  s.first = file.read<std::int64_t>("Group/GroupFirstSub");
  return s;
}

// The row of the central of subhalo `i`, in the file.
std::int64_t central_of(const Subhalos& s, std::size_t i, const std::string& where) {
  const std::int64_t group = s.group[i];
  require(group >= 0 && group < static_cast<std::int64_t>(s.first.size()), where, ": SubhaloGrNr row ", i,
          " is ", group, ", but there are ", s.first.size(), " groups");
  const std::int64_t central = s.first[static_cast<std::size_t>(group)];
  require(central >= 0 && central < static_cast<std::int64_t>(s.vmax.size()), where,
          ": GroupFirstSub of group ", group, " is ", central, ", but there are ", s.vmax.size(),
          " subhalos");
  return central;
}

// Whether positions are in kpc/h. They have the unit of BoxSize in sound files; in some that were converted
// BoxSize alone is in Mpc/h.
bool positions_in_kpc(const Header& header, const Subhalos& s, const std::string& where) {
  constexpr std::size_t kEnough = 10;  // so many do not all stand in one corner
  float largest = 0;
  for (const float value : s.position) largest = std::max(largest, value);
  const bool fits_mpc = static_cast<double>(largest) <= 1.05 * header.box_size;
  if (header.in_mpc) return !fits_mpc;
  require(!fits_mpc || s.vmax.size() < kEnough, where, ": BoxSize is ", header.box_size * kKpcPerMpc,
          " kpc/h, but no position is above ", largest, ": they are in another unit");
  return true;
}

// One file as a catalog of one cube; ids begin at `first_id`. `subhalos` gets the place in the file of every
// row.
Catalog convert(const Header& header, const Subhalos& s, std::int64_t first_id, const std::string& where,
                std::vector<std::int64_t>& subhalos, ImportReport& report) {
  Catalog cube;
  cube.box_size = header.box_size;
  const auto column = [&](const char* name) { return &cube.columns[name]; };
  std::vector<double>* const position[] = {column("x"), column("y"), column("z")};
  std::vector<double>&vpeak = *column("vpeak"), &mvir = *column("mvir"), &mass = *column("stellar_mass"),
  &sfr = *column("sfr");
  std::vector<std::int64_t>&id = cube.integers["id"], &upid = cube.integers["upid"],
  &box = cube.integers["box"];
  const bool in_kpc = positions_in_kpc(header, s, where);
  for (std::size_t i = 0; i < s.vmax.size(); ++i) {
    if (s.vmax[i] == 0) {
      ++report.motionless;
      continue;
    }
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double value{s.position[3 * i + axis]};
      position[axis]->push_back(in_kpc ? value / kKpcPerMpc : value);
    }
    vpeak.push_back(double{s.vmax[i]});
    mvir.push_back(s.mass[i] * kMassUnit);
    mass.push_back(s.mass_type[6 * i + kStars] * kMassUnit / header.h);
    sfr.push_back(double{s.sfr[i]});
    const std::int64_t central = central_of(s, i, where);
    id.push_back(first_id + static_cast<std::int64_t>(i));
    upid.push_back(central == static_cast<std::int64_t>(i) ? -1 : first_id + central);
    box.push_back(0);
    subhalos.push_back(static_cast<std::int64_t>(i));
  }
  return cube;
}

void append(Catalog& all, Catalog&& cube, std::int64_t box) {
  std::fill(cube.integers["box"].begin(), cube.integers["box"].end(), box);
  for (auto& [name, values] : cube.columns) {
    auto& to = all.columns[name];
    to.insert(to.end(), values.begin(), values.end());
  }
  for (auto& [name, values] : cube.integers) {
    auto& to = all.integers[name];
    to.insert(to.end(), values.begin(), values.end());
  }
}

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
            "' is no name for a parameter");
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

// What a table and a file's header both say.
void check_parameter(const std::string& name, double in_table, const Header& header, const std::string& where,
                     const std::string& table) {
  constexpr double kSame = 0.01;  // tables are rounded
  const std::pair<const char*, double> known[] = {
      {"Omega_m", header.omega_m}, {"Omega_b", header.omega_b}, {"h", header.h}};
  for (const auto& [column, in_header] : known)
    require(name != column || std::abs(in_table - in_header) <= kSame * in_header, where, ": ", column,
            " is ", in_header, " in the header, but ", in_table, " in the table '", table, "'");
}

void add_parameters(Catalog& catalog, const std::vector<CamelsFile>& files,
                    const std::vector<Header>& headers, const std::filesystem::path& path,
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
      concat("the table of parameters has no column sigma_8; ", catalog.cosmology.sigma_8, " was taken"));
}

// What the cubes of a set must share.
void check_alike(const Header& header, const Header& first, const std::string& where,
                 const std::string& first_where) {
  Catalog cube;
  cube.box_size = header.box_size;
  cube.redshift = header.redshift;
  cube.cosmology = {header.h, header.omega_m, header.omega_b, kFiducialSigma8, kSpectralIndex};
  check_header(cube, where);
  constexpr double kRounding = 1e-4;
  require(std::abs(header.box_size - first.box_size) <= kRounding * first.box_size &&
              std::abs(header.redshift - first.redshift) <= kRounding * (1 + first.redshift),
          where, ": box size and redshift are ", header.box_size, " Mpc/h and ", header.redshift, ", but ",
          first.box_size, " and ", first.redshift, " in ", first_where);
}

bool has_several_h(const std::vector<Header>& headers) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const Header& header) { return header.h != headers[0].h; });
}

// The header of the whole, of means where the cubes differ.
void take_headers(const std::vector<Header>& headers, Catalog& all, ImportReport& report) {
  const Header& first = headers.front();
  const auto cubes = static_cast<double>(headers.size());
  double h = 0, omega_m = 0, omega_b = 0;
  bool in_mpc = false;
  for (const Header& header : headers) {
    h += header.h;
    omega_m += header.omega_m;
    omega_b += header.omega_b;
    in_mpc = in_mpc || header.in_mpc;
  }
  const bool same_h = !has_several_h(headers);
  all.boxes = static_cast<std::int64_t>(headers.size());
  all.box_size = first.box_size;
  all.redshift = first.redshift;
  all.cosmology = {same_h ? first.h : h / cubes, omega_m / cubes, omega_b / cubes, kFiducialSigma8,
                   kSpectralIndex};
  if (!same_h)
    report.notes.push_back(concat("h differs from cube to cube; the attribute is the mean, ", h / cubes));
  if (in_mpc) report.notes.push_back(concat("BoxSize ", first.box_size, " was taken to be in Mpc/h"));
  report.notes.push_back(concat("n_s is not in the files; ", kSpectralIndex, " was taken, as in every set"));
}

}  // namespace

Catalog read_camels(const std::filesystem::path& folder, const CamelsOptions& options, ImportReport* report) {
  check_options(options.rows);
  ImportReport result;
  const std::vector<CamelsFile> files = camels_files(folder, options.snapshot, result);
  Catalog all;
  std::vector<Header> headers;
  std::vector<std::int64_t> subhalos;  // [row], its place in its file
  for (const CamelsFile& cube : files) {
    const Hdf5File file = Hdf5File::open(cube.path);
    const std::string where = concat("file '", cube.path.string(), "'");
    const Header header = read_header(file, options.rows.box_size);
    headers.push_back(header);
    check_alike(header, headers.front(), where, concat("'", files[0].path.string(), "'"));
    append(all,
           convert(header, read_subhalos(file, header.subhalos, options.rows), result.read, where, subhalos,
                   result),
           result.files++);
    result.read += header.subhalos;
  }
  take_headers(headers, all, result);
  all.box_size = settled_box_size(options.rows, all.box_size, std::nullopt, folder.string(), result);
  all.source =
      concat("CAMELS SUBFIND catalogs, ", result.files, " hydrodynamic cubes of ", all.box_size,
             " Mpc/h, z = ", all.redshift,
             "; vpeak is SubhaloVmax at that redshift with baryons, mvir the "
             "bound mass; omega_m, omega_b and sigma_8 differ from cube to cube, the attributes are means");
  if (options.parameters)
    add_parameters(all, files, headers, *options.parameters, result);
  else
    result.notes.push_back(concat("without --parameters sigma_8 was taken to be ", kFiducialSigma8));
  if (has_several_h(headers)) {  // whatever the table says, with all digits
    all.box_parameters["h"].clear();
    for (const Header& header : headers) all.box_parameters["h"].push_back(header.h);
  }
  const std::vector<std::int64_t> box = all.integers["box"];  // as long as `subhalos`, whatever is left out
  for (const std::string& column : options.rows.drop) {
    all.columns.erase(column);
    all.integers.erase(column);
  }
  const ImportRows rows{concat("folder '", folder.string(), "'"),
                        [&](std::size_t row) {
                          return concat("'", files[static_cast<std::size_t>(box[row])].path.string(),
                                        "' subhalo ", subhalos[row]);
                        },
                        {"stellar_mass"}};
  finish_import(all, rows, options.rows, result);
  if (report) *report = result;
  return all;
}

}  // namespace umbra
