// Tables in HDF5: datasets of one length in a group, or one dataset of compound type.
#include <algorithm>
#include <map>

#include "data/tables/column_names.h"
#include "data/tables/table.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"

namespace umbra {
namespace {

constexpr std::int64_t kMostParts = 16;  // columns of a dataset [n, k]
constexpr int kDeepest = 4;              // groups inside one another that are searched

bool is_number(const Hdf5Entry& entry) {
  return entry.kind == Hdf5Kind::kFloat || entry.kind == Hdf5Kind::kInteger;
}
// A dataset [n] or [n, k] with a few columns.
bool has_columns(const Hdf5Entry& entry) {
  return is_number(entry) &&
         (entry.shape.rank() == 1 || (entry.shape.rank() == 2 && entry.shape[1] <= kMostParts));
}
bool is_compound_table(const Hdf5Entry& entry) {
  return entry.kind == Hdf5Kind::kCompound && entry.shape.rank() == 1;
}

// The length that most datasets of a group have, and the longer one of two; 0 without datasets.
std::int64_t common_length(const std::vector<Hdf5Entry>& entries) {
  std::map<std::int64_t, int> counts;
  for (const Hdf5Entry& entry : entries)
    if (has_columns(entry)) ++counts[entry.shape[0]];
  std::int64_t length = 0;
  int most = 0;
  for (const auto& [rows, count] : counts) {
    if (count >= most) length = rows;
    most = std::max(most, count);
  }
  return length;
}

std::string joined_path(const std::string& group, const std::string& name) {
  return group == "/" || group.empty() ? name : group + "/" + name;
}

// The groups and compound datasets that are tables.
void find_tables(const Hdf5File& file, const std::string& group, int depth, std::vector<std::string>& found) {
  const std::vector<Hdf5Entry> entries = file.list(group);
  constexpr int kFewest = 3;  // numbers of a position
  std::int64_t columns = 0;
  for (const Hdf5Entry& entry : entries)
    if (has_columns(entry)) columns += entry.shape.rank() == 2 ? entry.shape[1] : 1;
  if (columns >= kFewest) found.push_back(group);
  for (const Hdf5Entry& entry : entries) {
    const std::string path = joined_path(group, entry.name);
    if (is_compound_table(entry)) found.push_back(path);
    if (entry.kind == Hdf5Kind::kGroup && depth < kDeepest) find_tables(file, path, depth + 1, found);
  }
}

class Hdf5Table final : public Table {
 public:
  Hdf5Table(Hdf5File file, const std::string& group) : file_(std::move(file)) {
    place_ = choose(group);
    if (file_.has_group(place_))
      list_group();
    else
      list_members();
    what_ = concat("HDF5 table '", place_, "'");
    if (file_.has(place_ + ".__table_column_meta__"))
      notes_.push_back("units that astropy stored in '" + place_ +
                       ".__table_column_meta__' are not read; give --units");
    // What is closest to the table counts.
    for (std::string place = place_; !place.empty() && place != "/";) {
      read_header(place);
      const std::size_t slash = place.rfind('/');
      place.resize(slash == std::string::npos ? 0 : slash);
    }
    read_header("/");
    for (const char* usual : {"Header", "header", "Parameters"}) read_header(usual);
  }

  std::optional<std::int64_t> rows() const override { return rows_; }
  TableData read(const TableRequest& request) override;

 private:
  struct Source {
    std::string dataset;     // its path
    std::int64_t parts = 1;  // columns of the dataset
    std::int64_t part = 0;   // which of them
  };

  std::string where() const { return concat("file '", file_.path().string(), "'"); }
  std::string choose(const std::string& group) const;
  void list_group();
  void list_members();
  void read_header(const std::string& object);
  std::string unit_of(const std::string& dataset) const;
  template <class T>
  void read_columns(const std::vector<std::size_t>& columns, std::int64_t count,
                    std::vector<std::vector<T>>& into, Stage& stage) const;

  Hdf5File file_;
  std::string place_;  // of the group or the compound dataset
  bool is_compound_ = false;
  std::int64_t rows_ = 0;
  std::vector<Source> sources_;  // [column]
};

std::string Hdf5Table::choose(const std::string& group) const {
  for (const Hdf5Entry& entry : file_.list())
    require(entry.kind != Hdf5Kind::kGroup || !file_.has_attribute(entry.name, "pandas_type"), where(),
            " was written by pandas' to_hdf, which stores columns in blocks; write it with to_csv instead");
  if (!group.empty()) {
    require(file_.has(group), where(), " has no group or dataset '", group, "' (--group)");
    return group;
  }
  std::vector<std::string> tables;
  find_tables(file_, "/", 0, tables);
  require(!tables.empty(), where(),
          " contains no table: neither one-dimensional datasets of numbers nor a dataset of compound type");
  std::string list;
  for (const std::string& table : tables) list += concat(list.empty() ? "'" : ", '", table, "'");
  require(tables.size() == 1, where(), " contains several tables: ", list, "; choose one, e.g. --group ",
          tables[0]);
  return tables[0];
}

void Hdf5Table::list_group() {
  const std::vector<Hdf5Entry> entries = file_.list(place_);
  rows_ = common_length(entries);
  for (const Hdf5Entry& entry : entries) {
    if (entry.kind == Hdf5Kind::kGroup) continue;
    if (!has_columns(entry) || entry.shape[0] != rows_) {
      others_.push_back(entry.name);
      continue;
    }
    const std::string dataset = joined_path(place_, entry.name), unit = unit_of(dataset);
    const std::int64_t parts = entry.shape.rank() == 2 ? entry.shape[1] : 1;
    for (std::int64_t part = 0; part < parts; ++part) {
      columns_.push_back({entry.shape.rank() == 2 ? concat(entry.name, "[", part, "]") : entry.name, unit});
      sources_.push_back({dataset, parts, part});
    }
  }
  require(!columns_.empty(), where(), " has no one-dimensional datasets of numbers in the group '", place_,
          "'");
}

void Hdf5Table::list_members() {
  is_compound_ = true;
  const Hdf5Entry entry = file_.describe(place_);
  require(is_compound_table(entry), where(), ": '", place_,
          "' is not a table; a group of datasets or a one-dimensional dataset of compound type is expected");
  rows_ = entry.shape[0];
  for (const std::string& member : file_.members(place_)) {
    columns_.push_back({member, ""});
    sources_.push_back({});
  }
}

std::string Hdf5Table::unit_of(const std::string& dataset) const {
  for (const char* key : {"unit", "units", "Unit", "Units", "UNIT", "UNITS"})
    if (std::string unit = file_.remark(dataset, key); !unit.empty()) return unit;
  return "";
}

void Hdf5Table::read_header(const std::string& object) {
  if (!file_.has(object)) return;
  // Not "Hubble", which in Gadget and AREPO is the constant in internal units, e.g. 0.1.
  for (const char* key : {"box_size",    "BoxSize", "boxsize", "Lbox",   "h",   "HubbleParam", "little_h",
                          "H0",          "omega_m", "Omega_m", "Omega0", "Om0", "omega_b",     "Omega_b",
                          "OmegaBaryon", "sigma_8", "sigma8",  "n_s",    "ns",  "redshift",    "Redshift"}) {
    if (!file_.has_attribute(object, key)) continue;
    const Hdf5Entry entry = file_.describe_attribute(object, key);
    if (!is_number(entry)) continue;
    const std::vector<double> values = file_.attribute_numbers(object, key);
    const bool same =
        std::all_of(values.begin(), values.end(), [&](double value) { return value == values[0]; });
    if (!values.empty() && same) header_.set(key, values[0]);
  }
}

// A dataset with several columns is read once.
template <class T>
void Hdf5Table::read_columns(const std::vector<std::size_t>& columns, std::int64_t count,
                             std::vector<std::vector<T>>& into, Stage& stage) const {
  into.resize(columns.size());
  std::map<std::string, std::vector<T>> whole;
  for (std::size_t i = 0; i < columns.size(); stage.add(), ++i) {
    const Source& source = sources_[columns[i]];
    if (is_compound_) {
      into[i] = file_.read_member<T>(place_, columns_[columns[i]].name);
      into[i].resize(static_cast<std::size_t>(count));
      continue;
    }
    into[i].resize(static_cast<std::size_t>(count));
    if (source.parts == 1 && file_.describe(source.dataset).shape.rank() == 1) {
      file_.read_part(source.dataset, 0, std::span(into[i]));
      continue;
    }
    std::vector<T>& all = whole[source.dataset];
    if (all.empty() && count > 0) {
      all.resize(static_cast<std::size_t>(count * source.parts));
      file_.read_rows(source.dataset, 0, std::span(all));
    }
    for (std::size_t row = 0; row < into[i].size(); ++row)
      into[i][row] =
          all[row * static_cast<std::size_t>(source.parts) + static_cast<std::size_t>(source.part)];
  }
}

TableData Hdf5Table::read(const TableRequest& request) {
  TableData rows;
  rows.read = std::min(rows_, request.most_rows);
  rows.is_complete = rows.read == rows_;
  Stage stage(request.progress, "reading columns",
              std::ssize(request.numbers) + std::ssize(request.integers));
  read_columns(request.numbers, rows.read, rows.numbers, stage);
  read_columns(request.integers, rows.read, rows.integers, stage);
  return rows;
}

}  // namespace

std::unique_ptr<Table> open_hdf5_table(const std::filesystem::path& path, const std::string& group) {
  return std::make_unique<Hdf5Table>(Hdf5File::open(path), group);
}

}  // namespace umbra
