#include "data/images/labels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "data/images/csv.h"
#include "data/images/image_files.h"
#include "data/images/table_columns.h"
#include "data/images/table_file.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"
#include "engine/base/listed.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// Reads the columns of a table.
class Reader {
 public:
  Reader(TextTableRows& table, const ImageOptions& options, const ImageFiles& files)
      : table_(table), options_(options), files_(files), columns_(choose_columns(table, options, files)) {
    table_.read(columns_.all());
  }

  ImageTable read(const fs::path& folder) {
    result_.labels = table_.file();
    result_.images = std::ssize(files_.all());
    result_.columns.files = table_.names()[columns_.files];
    for (const std::string& name : columns_.missing)
      result_.notes.push_back(
          concat(table_.file(), ": there is no column ", name, ", which the run was trained with"));
    if (!table_.note().empty()) result_.notes.push_back(concat(table_.file(), ": ", table_.note()));
    find_rows();
    const std::string_view first = table_.size() > 0 ? table_.at(0, columns_.files) : "";
    require(!rows_.empty(), table_.file(), ": none of its ", table_.size(), " rows has an image in ",
            folder.string(), "; column ", table_.names()[columns_.files], " of the first row is '", first,
            "'", files_.hint(first),
            options_.needs_targets ? " (data.file_column and data.images choose others)" : "");
    if (columns_.labels) if_usable(columns_.labels, "labels are", [&] { read_classes(); });
    if (!columns_.values.empty()) read_usable_values();
    if (columns_.split) if_usable(columns_.split, "split is", [&] { read_split(); });
    if (!options_.needs_targets) add_images_without_row();
    for (const std::size_t file : row_files_) result_.files.push_back(files_.all()[file]);
    describe();
    return std::move(result_);
  }

 private:
  // Calls read(); to predict, what `column` has is not used if it is wrong.
  template <class Read>
  void if_usable(std::optional<std::size_t>& column, const char* what, const Read& read) {
    if (options_.needs_targets) return read();
    try {
      read();
    } catch (const Error& error) {
      result_.notes.push_back(concat(error.what(), "; no ", what, " used"));
      column.reset();
    }
  }

  void find_rows();
  void read_classes();
  void read_usable_values();
  void read_values();
  void read_split();
  std::int64_t side_of(std::size_t row) const;
  void leave_out(const std::vector<char>& without, const std::string& what);
  void add_images_without_row();
  void describe();

  TextTableRows& table_;
  const ImageOptions& options_;
  const ImageFiles& files_;
  TableColumns columns_;
  std::vector<std::size_t> rows_, row_files_;  // the rows with an image, and the place of it in files_
  std::int64_t with_row_ = 0;                  // images that have a row, also one without a label
  ImageTable result_;
};

// One row for every image.
void Reader::find_rows() {
  std::map<std::size_t, std::size_t> row_of;
  std::int64_t repeated = 0;
  for (std::size_t row = 0; row < table_.size(); ++row) {
    std::int64_t found = -1;
    std::string problem = concat("there is no image '", table_.at(row, columns_.files), "'");
    try {
      found = files_.find(table_.at(row, columns_.files));
    } catch (const Error& error) {  // there are several
      problem = error.what();
      require(!options_.needs_targets, table_.where(row), ": ", problem);
    }
    if (found < 0) {
      if (result_.missing.empty()) problem += files_.hint(table_.at(row, columns_.files));
      result_.missing.push_back(concat(table_.where(row), ": ", problem));
      continue;
    }
    const auto file = static_cast<std::size_t>(found);
    const auto [before, is_new] = row_of.emplace(file, row);
    require(is_new || !options_.needs_targets, table_.where(row), ": the image '",
            table_.at(row, columns_.files), "' has a row already, ", table_.where(before->second));
    repeated += is_new ? 0 : 1;
    if (!is_new) continue;
    rows_.push_back(row);
    row_files_.push_back(file);
  }
  with_row_ = std::ssize(rows_);
  if (repeated > 0)
    result_.notes.push_back(concat(repeated, repeated == 1 ? " row" : " rows", " of ", table_.file(),
                                   " are for an image that has a row already, and are not used"));
}

void Reader::read_classes() {
  const bool needs_names = options_.needs_targets && !options_.name_column.empty();
  const LabelColumn column{table_, rows_, *columns_.labels, columns_.names, needs_names};
  ClassLabels found = options_.needs_targets ? find_classes(column) : classes_of_run(column, options_.of_run);
  result_.class_count = found.count;
  result_.class_names = std::move(found.names);
  result_.class_numbers = std::move(found.numbers);
  result_.classes = std::move(found.labels);
  result_.columns.labels = table_.names()[*columns_.labels];
  if (found.used_names) result_.columns.names = table_.names()[*columns_.names];
  std::vector<char> without;
  for (const std::int64_t label : result_.classes) without.push_back(label < 0 ? 1 : 0);
  leave_out(without, "label in column " + result_.columns.labels);
}

// Leaves out rows without a target or, to predict, counts them.
void Reader::leave_out(const std::vector<char>& without, const std::string& what) {
  const auto first = std::find(without.begin(), without.end(), 1);
  if (first == without.end()) return;
  const auto count = std::count(without.begin(), without.end(), 1);
  result_.notes.push_back(concat(count, count == 1 ? " row has no " : " rows have no ", what,
                                 "; the first is ",
                                 table_.where(rows_[static_cast<std::size_t>(first - without.begin())]),
                                 options_.needs_targets ? "; they are left out" : ""));
  if (!options_.needs_targets) return;
  const auto keep = [&](auto& all, std::size_t width) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (without[i / width] == 0) all[kept++] = all[i];
    all.resize(kept);
  };
  keep(rows_, 1);
  keep(row_files_, 1);
  keep(result_.classes, 1);
  if (!columns_.values.empty()) keep(result_.values, columns_.values.size());
}

void Reader::read_usable_values() {
  std::optional<std::size_t> first = columns_.values[0];
  if_usable(first, "values are", [&] { read_values(); });
  if (first) return;
  columns_.values.clear();
  result_.values.clear();
  result_.value_names.clear();
}

void Reader::read_values() {
  for (const std::size_t column : columns_.values) result_.value_names.push_back(table_.names()[column]);
  std::vector<char> without;
  for (const std::size_t row : rows_) {
    without.push_back(0);
    for (const std::size_t column : columns_.values) {
      const std::string_view text = table_.at(row, column);
      double number = std::numeric_limits<double>::quiet_NaN();
      if (is_no_label(text, true))
        without.back() = 1;
      else
        require(parse_number(text, number) && std::isfinite(number), table_.where(row), ": column ",
                table_.names()[column], " has '", text, "', but a number is expected");
      result_.values.push_back(number);
    }
  }
  require(std::count(without.begin(), without.end(), 0) > 0, table_.file(), ": no row has ",
          listed(result_.value_names, "and"));
  leave_out(without, "number in " + listed(result_.value_names, "or"));
}

std::int64_t Reader::side_of(std::size_t row) const {
  const std::string word = lower_case(table_.at(row, *columns_.split));
  for (const char* name : {"train", "training", "0"})
    if (word == name) return 0;
  for (const char* name : {"val", "valid", "validation", "dev", "1"})
    if (word == name) return 1;
  for (const char* name : {"test", "testing", "2"})
    if (word == name) return 2;
  fail(table_.where(row), ": column ", table_.names()[*columns_.split], " has '",
       table_.at(row, *columns_.split), "', but train, val or test is expected",
       options_.needs_targets ? " (data.split_column)" : "");
}

void Reader::read_split() {
  std::vector<std::int64_t> sides;
  for (const std::size_t row : rows_) sides.push_back(side_of(row));
  result_.sides = std::move(sides);
  result_.columns.split = table_.names()[*columns_.split];
}

// To predict, after those of the rows.
void Reader::add_images_without_row() {
  std::vector<char> has_row(files_.all().size(), 0);
  for (const std::size_t file : row_files_) has_row[file] = 1;
  for (std::size_t file = 0; file < has_row.size(); ++file) {
    if (has_row[file] != 0) continue;
    row_files_.push_back(file);
    if (!result_.classes.empty()) result_.classes.push_back(-1);
    if (!result_.sides.empty()) result_.sides.push_back(2);
    result_.values.insert(result_.values.end(), result_.value_names.size(),
                          std::numeric_limits<double>::quiet_NaN());
  }
}

void Reader::describe() {
  std::string text = concat(table_.file(), ": images from column ", table_.names()[columns_.files]);
  if (columns_.labels) text += concat(", classes from column ", table_.names()[*columns_.labels]);
  if (!columns_.values.empty()) text += concat(", values from ", listed(result_.value_names, "and"));
  if (columns_.split) text += concat(", split from column ", table_.names()[*columns_.split]);
  result_.notes.insert(result_.notes.begin(), text);
  const std::int64_t without = std::ssize(files_.all()) - with_row_;
  if (without > 0)
    result_.notes.push_back(
        concat(without, without == 1 ? " image has" : " images have", " no row in ", table_.file()));
  if (!columns_.labels && columns_.values.empty())
    result_.why_no_targets =
        concat(table_.file(), ": no column is known to have labels; data.label_column or ",
               "data.value_columns choose from ", listed(table_.names(), ""));
}

}  // namespace

ImageTable read_image_table(const fs::path& folder, const ImageOptions& options) {
  const ImageFiles files(folder, folder_of_images(folder, options));
  ImageTable result;
  result.notes = files.notes();
  try {
    if (const fs::path labels = table_of(folder, options); !labels.empty()) {
      TextTableRows table(labels);
      ImageTable read = Reader(table, options, files).read(folder);
      read.columns.table = options.labels.empty() ? labels.filename().string() : options.labels;
      read.notes.insert(read.notes.end(), result.notes.begin(), result.notes.end());
      return read;
    }
  } catch (const Error& error) {
    if (options.needs_targets) throw;
    result.notes.push_back(concat(error.what(), "; no table is used"));
  }
  result.files = files.all();
  result.images = std::ssize(files.all());
  result.why_no_targets = concat(
      folder.string(), ": there is no CSV file with labels (data.labels); docs/images.md has a line of ",
      "Python that writes one from folders per class");
  return result;
}

}  // namespace umbra
