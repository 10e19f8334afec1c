#include <algorithm>
#include <array>
#include <charconv>

#include "data/catalogs/formats.h"
#include "data/catalogs/text_table.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"

namespace umbra {
namespace {

constexpr std::array<ColumnName, 12> kColumns = {{{"halo_x", "x"},
                                                  {"halo_y", "y"},
                                                  {"halo_z", "z"},
                                                  {"halo_vpeak", "vpeak"},
                                                  {"halo_vacc", "vacc"},
                                                  {"halo_mpeak", "mpeak"},
                                                  {"halo_macc", "macc"},
                                                  {"halo_mvir", "mvir"},
                                                  {"halo_spin", "spin"},
                                                  {"halo_halfmass_scale_factor", "halfmass_scale"},
                                                  {"halo_upid", "upid"},
                                                  {"halo_id", "id"}}};

// Halotools writes the redshift as text of four decimals; other programs write a number.
double redshift_of(const Hdf5File& file) {
  if (!file.has_attribute("/", "redshift")) return 0;
  std::string text;
  try {
    text = file.attribute_text("/", "redshift");
  } catch (const Error&) {
    return file.attribute_number("/", "redshift");
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), "file '", file.path().string(),
          "': the attribute 'redshift' is '", text, "', a number is expected");
  return value;
}

double box_size_of(const Hdf5File& file) {
  const std::vector<double> sides = file.attribute_numbers("/", "Lbox");
  require(!sides.empty() &&
              std::all_of(sides.begin(), sides.end(), [&](double side) { return side == sides[0]; }),
          "file '", file.path().string(), "': the attribute 'Lbox' must be the side of a cube in Mpc/h");
  return sides[0];
}

}  // namespace

Catalog read_halotools(const std::filesystem::path& path, const ImportOptions& options,
                       ImportReport* report) {
  const Hdf5File file = Hdf5File::open(path);
  require(file.has_dataset("data"), "file '", path.string(),
          "' is not a halotools catalog: it has no table 'data'");
  const std::vector<std::string> members = file.members("data");
  Catalog catalog;
  for (const ColumnName& column : kColumns) {
    const std::string name(column.foreign), ours(column.ours);
    if (std::find(members.begin(), members.end(), name) == members.end()) continue;
    if (column_kind(ours).check == ColumnKind::Check::kInteger)
      catalog.integers[ours] = file.read_member<std::int64_t>("data", name);
    else
      catalog.columns[ours] = file.read_member<double>("data", name);
  }
  catalog.box_size = options.box_size ? *options.box_size : box_size_of(file);
  catalog.redshift = redshift_of(file);
  catalog.source = "halotools catalog " + path.filename().string();
  if (file.has_attribute("/", "simname")) catalog.source += " of " + file.attribute_text("/", "simname");
  ImportReport result;
  result.read = catalog.rows();
  result.wrapped = validate(catalog, concat("file '", path.string(), "'")).wrapped;
  apply_cuts(catalog, options);
  if (report) *report = result;
  return catalog;
}

}  // namespace umbra
