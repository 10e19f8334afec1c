#include "data/catalogs/camels.h"

#include <algorithm>
#include <cmath>

#include "data/catalogs/camels_cube.h"
#include "data/catalogs/camels_files.h"
#include "data/catalogs/camels_parameters.h"
#include "data/catalogs/catalog_checks.h"
#include "data/catalogs/import_rows.h"
#include "data/catalogs/recognise.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"

namespace umbra {
namespace {

constexpr double kFiducialSigma8 = 0.8;  // of every CAMELS set, like n_s
constexpr double kSpectralIndex = 0.9624;

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

// Leaves out the columns that only some of the files have.
void keep_common_columns(Catalog& all, ImportReport& report) {
  const std::int64_t rows = all.rows();
  std::erase_if(all.columns, [&](const auto& column) {
    const bool common = std::ssize(column.second) == rows;
    if (!common)
      report.notes.push_back(concat("column '", column.first, "' is left out because some files lack it"));
    return !common;
  });
}

// Checks what the cubes of a set must have in common.
void check_alike(const CamelsHeader& header, const CamelsHeader& first, const std::string& where,
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

bool has_several_h(const std::vector<CamelsHeader>& headers) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const CamelsHeader& header) { return header.h != headers[0].h; });
}

// The header of the catalog, with means where the cubes differ.
void take_headers(const std::vector<CamelsHeader>& headers, Catalog& all, ImportReport& report) {
  const CamelsHeader& first = headers.front();
  const auto cubes = static_cast<double>(headers.size());
  double h = 0, omega_m = 0, omega_b = 0;
  bool in_mpc = false;
  for (const CamelsHeader& header : headers) {
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
  if (in_mpc) report.notes.push_back(concat("BoxSize ", first.box_size, " is assumed to be in Mpc/h"));
  report.notes.push_back(concat("n_s is not in the files; ", kSpectralIndex, " is assumed, as in every set"));
}

}  // namespace

Catalog read_camels(const std::filesystem::path& folder, const CamelsOptions& options, ImportReport* report) {
  check_options(options.rows);
  ImportReport result;
  const std::vector<CamelsFile> files = camels_files(folder, options.snapshot, result);
  Catalog all;
  std::vector<CamelsHeader> headers;
  std::vector<std::int64_t> subhalos;  // [row], its place in its file
  Stage stage(options.rows.progress, "reading cubes", std::ssize(files));
  for (const CamelsFile& cube : files) {
    const Hdf5File file = Hdf5File::open(cube.path);
    const std::string where = concat("file '", cube.path.string(), "'");
    const CamelsHeader header = read_camels_header(file, options.rows.box_size);
    headers.push_back(header);
    check_alike(header, headers.front(), where, concat("'", files[0].path.string(), "'"));
    append(all, read_camels_cube(file, header, options.rows, result.read, where, subhalos, result),
           result.files++);
    result.read += header.subhalos;
    stage.add();
  }
  keep_common_columns(all, result);
  take_headers(headers, all, result);
  all.box_size = settled_box_size(options.rows, all.box_size, std::nullopt, folder.string(), result);
  all.source =
      concat("CAMELS SUBFIND catalogs, ", result.files, " hydrodynamic cubes of ", all.box_size,
             " Mpc/h, z = ", all.redshift,
             "; vpeak is SubhaloVmax at that redshift with baryons, mvir the "
             "bound mass; omega_m, omega_b and sigma_8 differ from cube to cube, the attributes are means");
  if (options.parameters)
    add_camels_parameters(all, files, headers, *options.parameters, result);
  else
    result.notes.push_back(concat("without --parameters sigma_8 is assumed to be ", kFiducialSigma8));
  if (has_several_h(headers)) {  // from the headers, which have more digits than the table
    all.box_parameters["h"].clear();
    for (const CamelsHeader& header : headers) all.box_parameters["h"].push_back(header.h);
  }
  const std::vector<std::int64_t> box =
      all.integers["box"];  // as long as `subhalos`, before rows are left out
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

std::optional<Recognised> recognise_camels(const FileLook& file) {
  const bool is_folder = file.content() == Content::kFolder;
  std::filesystem::path first = file.path();
  std::string detail;
  if (is_folder) {
    ImportReport ignored;
    std::vector<CamelsFile> files;
    try {
      files = camels_files(file.path(), std::nullopt, ignored);
    } catch (const Error&) {
      return std::nullopt;  // a folder of something else
    }
    first = files[0].path;
    detail = concat(files.size(), files.size() == 1 ? " simulation; " : " simulations; ", files[0].simulation,
                    " is described here");
  } else if (!file.has_objects({"Subhalo", "Header"}) ||
             !file.hdf5()->has_attribute("Header", "Nsubgroups_Total")) {
    return std::nullopt;
  }
  const Hdf5File cube = Hdf5File::open(first);
  const CamelsHeader header = read_camels_header(cube, std::nullopt);
  Recognised found{open_hdf5_table(first, "Subhalo"), {}, detail};
  const char* length = header.in_mpc ? "Mpc/h" : "kpc/h";
  found.how.columns =
      "x=SubhaloPos[0],y=SubhaloPos[1],z=SubhaloPos[2],vpeak=SubhaloVmax,mvir=SubhaloMass,"
      "stellar_mass=SubhaloMassType[4]";
  found.how.units =
      concat("x=", length, ",y=", length, ",z=", length, ",mvir=1e10 Msun/h,stellar_mass=1e10 Msun/h");
  const auto add_optional = [&, names = found.table->names()](const char* dataset, const char* assignment) {
    if (std::find(names.begin(), names.end(), dataset) != names.end()) found.how.columns += assignment;
  };
  add_optional("SubhaloVelDisp", ",vdisp=SubhaloVelDisp");
  add_optional("SubhaloVmaxRad", ",rmax=SubhaloVmaxRad");
  add_optional("SubhaloSpin[0]",
               ",angular_momentum=sqrt(SubhaloSpin[0]**2+SubhaloSpin[1]**2+SubhaloSpin[2]**2)");
  found.skips_motionless = true;
  found.header = {header.box_size, header.h, header.omega_m, header.omega_b, {}, {}, header.redshift};
  return found;
}

}  // namespace umbra
