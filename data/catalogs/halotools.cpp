#include <algorithm>
#include <array>
#include <charconv>

#include "data/catalogs/formats.h"
#include "data/catalogs/recognise.h"
#include "data/catalogs/text_table.h"
#include "data/tables/column_names.h"
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
double redshift_of(const Hdf5File& file, ImportReport& report) {
  if (!file.has_attribute("/", "redshift")) {
    report.notes.emplace_back("the redshift is not in the file; 0 is assumed");
    return 0;
  }
  std::string text;
  try {
    text = file.attribute_text("/", "redshift");
  } catch (const Error&) {
    return file.attribute_number("/", "redshift");
  }
  while (text.ends_with(' ')) text.pop_back();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), "file '", file.path().string(),
          "': the attribute 'redshift' is '", text, "', a number is expected");
  return value;
}

std::optional<double> box_size_of(const Hdf5File& file) {
  if (!file.has_attribute("/", "Lbox")) return std::nullopt;
  const std::vector<double> sides = file.attribute_numbers("/", "Lbox");
  require(!sides.empty() &&
              std::all_of(sides.begin(), sides.end(), [&](double side) { return side == sides[0]; }),
          "file '", file.path().string(), "': the attribute 'Lbox' must be the side of a cube in Mpc/h");
  return sides[0];
}

Catalog read_columns(const Hdf5File& file, const ImportOptions& options) {
  const std::vector<std::string> members = file.members("data");
  Catalog catalog;
  Stage stage(options.progress, "reading columns", std::ssize(kColumns));
  for (const ColumnName& column : kColumns) {
    stage.add();
    const std::string name(column.foreign), ours(column.ours);
    const bool present = std::find(members.begin(), members.end(), name) != members.end();
    require(present || ours != "vpeak", "file '", file.path().string(), "' has no column '", name,
            "' in its table 'data'", closest_hint(members, name),
            "; without a velocity a halo cannot be used");
    if (!present || is_dropped(options, ours)) continue;
    if (column_kind(ours).check == ColumnKind::Check::kInteger)
      catalog.integers[ours] = file.read_member<std::int64_t>("data", name);
    else
      catalog.columns[ours] = file.read_member<double>("data", name);
  }
  return catalog;
}

}  // namespace

Catalog read_halotools(const std::filesystem::path& path, const ImportOptions& options,
                       ImportReport* report) {
  check_options(options);
  const std::string where = concat("file '", path.string(), "'");
  const Hdf5File file = Hdf5File::open(path);
  require(file.has_dataset("data"), where, " is not a halotools catalog: it has no table 'data'");
  Catalog catalog = read_columns(file, options);
  ImportReport result;
  result.read = catalog.rows();
  catalog.box_size = settled_box_size(options, box_size_of(file), std::nullopt, where, result);
  note_assumed_cosmology(catalog, result);
  catalog.redshift = redshift_of(file, result);
  catalog.source = "halotools catalog " + path.filename().string();
  if (const std::string name = file.remark("/", "simname"); !name.empty()) catalog.source += " of " + name;
  const ImportRows rows{where, [](std::size_t row) { return concat("row ", row); }};
  finish_import(catalog, rows, options, result);
  if (report) *report = result;
  return catalog;
}

std::optional<Recognised> recognise_halotools(const FileLook& file) {
  if (!file.has_objects({"data"}) || file.hdf5()->describe("data").kind != Hdf5Kind::kCompound)
    return std::nullopt;
  const std::vector<std::string> members = file.hdf5()->members("data");
  if (std::find(members.begin(), members.end(), "halo_x") == members.end()) return std::nullopt;
  Recognised found{open_hdf5_table(file.path(), "data")};
  found.how.columns = FileLook::columns_of(kColumns, members);
  return found;
}

}  // namespace umbra
