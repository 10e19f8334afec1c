// Reading catalogs. read_catalog() uses the reader with all columns and all rows at once.
#include "data/catalogs/catalog_reader.h"

#include <algorithm>
#include <limits>
#include <map>

#include "data/catalogs/catalog_checks.h"
#include "data/tables/column_names.h"
#include "data/tables/content.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

double optional_number(const Hdf5File& file, const std::string& key, double otherwise) {
  return file.has_attribute("/", key) ? file.attribute_number("/", key) : otherwise;
}

void read_header(const Hdf5File& file, Catalog& catalog) {
  catalog.box_size = file.attribute_number("/", "box_size");
  if (file.has_attribute("/", "boxes")) catalog.boxes = file.attribute_integer("/", "boxes");
  Cosmology& c = catalog.cosmology;
  c.h = file.attribute_number("/", "h");
  c.omega_m = optional_number(file, "omega_m", c.omega_m);
  c.omega_b = optional_number(file, "omega_b", c.omega_b);
  c.sigma_8 = optional_number(file, "sigma_8", c.sigma_8);
  c.n_s = optional_number(file, "n_s", c.n_s);
  catalog.redshift = optional_number(file, "redshift", 0.0);
  catalog.source = file.remark("/", "source");
}

// Checks dimension, unit and type of one column of the file. Returns its length.
std::int64_t check_column(const Hdf5File& file, const std::string& dataset, const ColumnKind& kind,
                          std::string_view where) {
  const Shape shape = file.describe(dataset).shape;
  require(shape.rank() == 1, where, ": column '", kind.name, "' has the shape ", shape.text(),
          ", one dimension is expected");
  if (file.has_attribute(dataset, "unit")) {
    std::string unit = file.attribute_text(dataset, "unit");
    while (unit.ends_with(' ')) unit.pop_back();
    require(unit == kind.unit, where, ": column '", kind.name, "' has the unit '", unit, "', '", kind.unit,
            "' is expected");
  }
  if (kind.check == ColumnKind::Check::kInteger)
    file.read_part<std::int64_t>(dataset, 0, {});
  else
    file.read_part<double>(dataset, 0, {});
  return shape.count();
}

// A table that was given as a catalog gets the word that helps.
Hdf5File open_catalog(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored) && std::filesystem::file_size(path, ignored) > 0) {
    const Content content = content_of(path);
    require(content != Content::kText && content != Content::kFits && content != Content::kParquet, "file '",
            path.string(), "' is not a catalog, which is HDF5; info says what it is, and import may read it");
  }
  return Hdf5File::open(path);
}

}  // namespace

CatalogReader::CatalogReader(const std::filesystem::path& path, std::set<std::string> wanted,
                             std::int64_t rows)
    : file_(open_catalog(path)),
      where_(concat("file '", path.string(), "'")),
      wanted_(std::move(wanted)),
      at_once_(rows) {
  file_.check_format_version();
  require(
      file_.has_group("halos"), where_,
      " is not a catalog: it has no group 'halos' (tools/import converts catalogs of other formats; a data "
      "set of task=dataset has /inputs and /targets)");
  require(at_once_ > 0, "the number of rows to read at once must be at least 1, but it is ", at_once_);
  for (const char* always : {"x", "y", "z", "box"}) wanted_.insert(always);
  read_header(file_, header_);
  find_columns();
}

void CatalogReader::find_columns() {
  std::map<std::string_view, std::int64_t> lengths;
  std::vector<std::string> names;
  for (const Hdf5Entry& entry : file_.list("halos")) names.push_back(entry.name);
  header_.unread = names;
  for (const ColumnKind& kind : column_kinds()) {
    const std::string name(kind.name);
    const std::optional<std::size_t> found = find_name(names, name, where_);
    if (!found) continue;
    spelling_[name] = names[*found];
    std::erase(header_.unread, names[*found]);
    if (names[*found] != name) report_.notes.push_back(read_as(names[*found], name));
    lengths[kind.name] = check_column(file_, dataset(name), kind, where_);
    if (kind.check == ColumnKind::Check::kInteger)
      header_.integers[name];
    else
      header_.columns[name];
  }
  if (file_.has_group("boxes"))
    for (const Hdf5Entry& entry : file_.list("boxes"))
      header_.box_parameters[entry.name] = file_.read<double>("boxes/" + entry.name, Shape{header_.boxes});
  check_catalog(header_, where_);
  rows_ = lengths.at("x");
  for (const auto& [name, length] : lengths) check_length(name, length, rows_, where_);
}

bool CatalogReader::next(Catalog& part) {
  if (next_ >= rows_) return false;
  const std::int64_t count = std::min(at_once_, rows_ - next_);
  part.box_size = header_.box_size;
  part.boxes = header_.boxes;
  part.redshift = header_.redshift;
  part.cosmology = header_.cosmology;
  part.source = header_.source;
  const auto read = [&](const auto& names, auto& into) {
    std::erase_if(into, [&](const auto& column) {
      return !wanted_.contains(column.first) || !names.contains(column.first);
    });
    for (const auto& [name, empty] : names) {
      if (!wanted_.contains(name)) continue;
      auto& values = into[name];
      values.resize(static_cast<std::size_t>(count));
      file_.read_part(dataset(name), next_, std::span(values));
    }
  };
  read(header_.columns, part.columns);
  read(header_.integers, part.integers);
  check_rows(part, where_, next_);
  for (const auto& [name, values] : part.columns)
    check_no_logarithms(part, name, where_,
                        concat("import table ", file_.path().string(), " --group halos --columns ", name,
                               "=10**", spelling_.at(name), " --out NEW.h5 converts them"));
  report_.wrapped += wrap_positions(part);
  next_ += count;
  return true;
}

Catalog read_catalog(const std::filesystem::path& path, CatalogReport* report) {
  std::set<std::string> all;
  for (const ColumnKind& kind : column_kinds()) all.emplace(kind.name);
  CatalogReader reader(path, std::move(all), std::numeric_limits<std::int64_t>::max());
  Catalog catalog = reader.header();  // its columns stay empty if there are no rows
  reader.next(catalog);
  if (report) *report = reader.report();
  return catalog;
}

}  // namespace umbra
