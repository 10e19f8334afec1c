#include "data/catalogs/table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "data/catalogs/catalog_checks.h"
#include "data/catalogs/import_rows.h"
#include "data/catalogs/table_columns.h"
#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

// The columns of the table that are read, each once.
class Reading {
 public:
  Reading(Table& table, const TableOptions& options, std::vector<TableChoice>& choices)
      : table_(table), options_(options), choices_(choices) {}

  // Returns the number of rows in the file.
  void read(Catalog& catalog, ImportReport& report) {
    read_doubtful_integers(catalog, report);
    const TableRequest request = plan();
    TableData rows = table_.read(request);
    report.read = rows.read;
    report.bad_rows = rows.bad;
    const std::size_t count = rows.numbers[0].size();
    std::size_t integer = 0;
    for (const TableChoice& choice : choices_) {
      const std::string name(choice.kind->name);
      if (choice.is_integer())
        catalog.integers[name] = std::move(rows.integers[integer++]);
      else
        catalog.columns[name] = values_of(choice, rows, count);
    }
  }

 private:
  // Integers of HDF5 and FITS may be of a type that does not fit. If the user did not name such a column it is left out,
  // but not the numbers of the cubes, because without them all cubes would be one.
  void read_doubtful_integers(Catalog& catalog, ImportReport& report) {
    if (!table_.rows()) return;
    std::erase_if(choices_, [&](const TableChoice& choice) {
      const bool is_box = choice.kind->name == "box";
      if (!choice.is_integer() || (choice.is_named && !is_box)) return false;
      try {
        TableData rows = table_.read({.numbers = {}, .integers = choice.sources});
        catalog.integers[std::string(choice.kind->name)] = std::move(rows.integers[0]);
      } catch (const Error& error) {
        if (is_box && !take_whole_numbers(choice, catalog)) throw;
        if (!is_box)
          report.notes.push_back(concat("column ", choice.kind->name, " is left out: ", error.what()));
      }
      return true;
    });
  }

  // Reads integers that are stored as floating-point numbers. Returns false if one of them has a fraction.
  bool take_whole_numbers(const TableChoice& choice, Catalog& catalog) {
    constexpr double kLargest = 9007199254740992;  // the integers below are exact
    const TableData rows = table_.read({.numbers = choice.sources});
    std::vector<std::int64_t> integers;
    for (const double number : rows.numbers[0]) {
      if (!(std::abs(number) < kLargest) || number != std::floor(number)) return false;
      integers.push_back(static_cast<std::int64_t>(number));
    }
    catalog.integers[std::string(choice.kind->name)] = std::move(integers);
    return true;
  }

  TableRequest plan() {
    TableRequest request;
    request.skip_bad_rows = options_.rows.skip_bad_rows;
    request.progress = options_.rows.progress;
    for (const TableChoice& choice : choices_) {
      if (choice.is_integer()) {
        request.integers.push_back(choice.sources[0]);
        continue;
      }
      const bool needed = choice.is_named || is_always_needed(choice.kind->name);
      for (const std::size_t source : choice.sources) {
        const auto [place, is_new] = places_.emplace(source, request.numbers.size());
        if (is_new) {
          request.numbers.push_back(source);
          request.needed.push_back(0);
        }
        if (needed) request.needed[place->second] = 1;
        ++uses_[source];
      }
      // finish_import() cuts the rows that are left.
      if (choice.kind->name == "vpeak" && choice.value.is_column() && choice.change.is_none() &&
          options_.rows.min_vpeak > 0 && options_.rows.min_stellar_mass <= 0) {
        request.cut = static_cast<int>(choice.sources[0]);
        request.minimum = options_.rows.min_vpeak;
      }
    }
    return request;
  }

  std::vector<double> values_of(const TableChoice& choice, TableData& rows, std::size_t count) {
    std::vector<double> values;
    std::vector<std::span<const double>> columns;
    for (const std::size_t source : choice.sources) columns.emplace_back(rows.numbers[places_.at(source)]);
    if (!choice.value.is_column())
      values = choice.value.evaluate(columns, count);
    else if (uses_[choice.sources[0]] == 1)
      values = std::move(rows.numbers[places_.at(choice.sources[0])]);
    else
      values.assign(columns[0].begin(), columns[0].end());
    for (const std::size_t source : choice.sources)
      if (--uses_[source] == 0) std::vector<double>().swap(rows.numbers[places_.at(source)]);
    if (!choice.change.is_none())
      parallel_chunks(static_cast<std::int64_t>(values.size()), 1 << 14,
                      [&](std::int64_t begin, std::int64_t end) {
                        std::transform(values.begin() + begin, values.begin() + end, values.begin() + begin,
                                       choice.change);
                      });
    return values;
  }

  Table& table_;
  const TableOptions& options_;
  std::vector<TableChoice>& choices_;
  std::map<std::size_t, std::size_t> places_;  // of a column of the table: in TableData::numbers
  std::map<std::size_t, int> uses_;            // how many columns of the catalog still need it
};

std::optional<double> settled_h(const TableOptions& options, const TableHeader& header,
                                const std::string& where) {
  constexpr double kSame = 1e-4;  // headers are rounded
  if (options.h && header.h)
    require(std::abs(*options.h - *header.h) <= kSame, where, " has h = ", *header.h, ", but --h says ",
            *options.h);
  return options.h ? options.h : header.h;
}

void take_cosmology(const TableHeader& header, std::optional<double> h, Catalog& catalog,
                    ImportReport& report) {
  std::string assumed;
  const auto take = [&](const char* name, const std::optional<double>& given, double& value) {
    if (given) value = *given;
    if (!given) assumed += concat(assumed.empty() ? "" : ", ", name, " = ", value);
  };
  Cosmology& c = catalog.cosmology;
  take("h", h, c.h);
  take("omega_m", header.omega_m, c.omega_m);
  take("omega_b", header.omega_b, c.omega_b);
  take("sigma_8", header.sigma_8, c.sigma_8);
  take("n_s", header.n_s, c.n_s);
  take("redshift", header.redshift, catalog.redshift);
  if (!assumed.empty()) report.notes.push_back("not in the file, assumed: " + assumed);
}

double side_of(const TableHeader& header, const std::vector<TableChoice>& choices,
               const ImportOptions& options, const std::string& where, ImportReport& report) {
  const std::optional<double> side = side_in_file(header, choices);
  if (header.box_size && !side) {
    const std::string unclear = concat("the box size in the file is ", *header.box_size,
                                       " in the unit of its positions, and x is a calculation");
    require(options.box_size.has_value(), where, ": ", unclear, "; give --box-size in Mpc/h");
    report.notes.push_back(unclear + "; it was not compared with --box-size");
  }
  return settled_box_size(options, side, std::nullopt, where, report);
}

// How many cubes a column `box` has.
std::int64_t cubes_of(const Catalog& catalog, const std::string& where) {
  std::int64_t cubes = catalog.boxes;
  for (const std::int64_t box : catalog.integer_column("box")) {
    require(box < std::numeric_limits<std::int64_t>::max(), where, ": column 'box' is ", box,
            ", the number of a cube is expected");
    cubes = std::max(cubes, box + 1);
  }
  return cubes;
}

void check_logarithms(const Catalog& catalog, const std::vector<TableChoice>& choices,
                      const std::string& where) {
  for (const TableChoice& choice : choices) {
    const std::string name(choice.kind->name);
    if (choice.is_integer()) continue;
    check_no_logarithms(catalog, name, where,
                        concat("--columns ", name, "=10**", choice.value.is_column() ? "" : "(",
                               choice.value.text(), choice.value.is_column() ? "" : ")", " or --units ", name,
                               "=log10(", choice.kind->unit, ") converts them"));
  }
}

}  // namespace

Catalog read_table(const std::filesystem::path& path, const TableOptions& options, ImportReport* report) {
  check_options(options.rows);
  const std::string where = concat("file '", path.string(), "'");
  const std::unique_ptr<Table> table = open_table(path, options.group);
  const TableHeader& header = table->header();
  ImportReport result;
  result.notes = table->notes();
  const std::optional<double> h = settled_h(options, header, where);
  std::vector<TableChoice> choices = choose_columns(*table, options, h, where, result);
  check_needed_columns(*table, choices, where);
  std::vector<std::string_view> needed;
  for (const TableChoice& choice : choices)
    if (choice.is_named) needed.push_back(choice.kind->name);
  Catalog catalog;
  catalog.box_size = side_of(header, choices, options.rows, where, result);
  take_cosmology(header, h, catalog, result);
  const std::size_t noted = table->notes().size();
  Reading(*table, options, choices).read(catalog, result);
  result.notes.insert(result.notes.end(), table->notes().begin() + static_cast<std::ptrdiff_t>(noted),
                      table->notes().end());
  check_logarithms(catalog, choices, where);
  if (catalog.has("box")) catalog.boxes = cubes_of(catalog, where);
  catalog.source = concat(table->what(), " ", path.filename().string(), options.columns.empty() ? "" : ": ",
                          options.columns, options.units.empty() ? "" : "; units ", options.units);
  const ImportRows rows{where, [&](std::size_t row) { return table->place(row); }, needed};
  finish_import(catalog, rows, options.rows, result);
  if (report) *report = result;
  return catalog;
}

}  // namespace umbra
