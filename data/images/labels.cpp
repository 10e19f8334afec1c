#include "data/images/labels.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/images/csv.h"
#include "data/images/image_files.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"
#include "engine/base/listed.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kManyClasses = 100;  // more labels than this and than half of the rows are refused

fs::path table_of(const fs::path& folder, const ImageOptions& options) {
  if (!options.labels.empty() && (options.needs_targets || fs::exists(folder / options.labels))) {
    require(fs::exists(folder / options.labels), (folder / options.labels).string(),
            ": there is no such file (data.labels)");
    return folder / options.labels;
  }
  std::vector<std::string> tables;
  for (const auto& entry : fs::directory_iterator(folder))
    if (lower_case(entry.path().extension().string()) == ".csv")
      tables.push_back(entry.path().filename().string());
  std::sort(tables.begin(), tables.end());
  if (tables.size() > 1 && !options.needs_targets) return {};
  require(tables.size() < 2, folder.string(), ": there are several tables, ", listed(tables, "and"),
          "; data.labels chooses one");
  return tables.empty() ? fs::path() : folder / tables[0];
}

// Reads the columns of a table for one row after the other.
class Reader {
 public:
  Reader(const TextTableRows& table, const ImageOptions& options, const ImageFiles& files)
      : table_(table), options_(options) {
    file_ = column(options.file_column, "data.file_column",
                   {"file", "filename", "file_name", "image", "image_name", "path", "objid", "dr7objid",
                    "galaxyid", "asset_id", "image_id", "object_id", "id", "name"});
    for (std::size_t i = 0; !file_ && table.size() > 0 && i < table.names().size(); ++i)
      if (files.has(table.at(0, i))) file_ = i;
    split_ = column(options.split_column, "data.split_column", {"split", "subset", "partition"});
    for (const std::string& name : options.value_columns)
      if (const auto value = column(name, "data.value_columns", {})) values_.push_back(*value);
    if (values_.size() != options.value_columns.size()) values_.clear();
    if (options.value_columns.empty())
      label_ =
          column(options.label_column, "data.label_column",
                 {"label", "class", "target", "category", "class_id", "class_name", "morphology", "type"});
  }

  // Whether a column names the pictures.
  bool names_pictures() const { return file_.has_value(); }

  ImageTable read(const fs::path& folder, const ImageFiles& files) {
    require(names_pictures(), table_.file(),
            ": no column is known to name the pictures; data.file_column chooses one of ",
            listed(table_.names(), ""));
    ImageTable result;
    result.labels = table_.file();
    find_rows(files, result);
    require(!rows_.empty(), table_.file(), ": none of its ", table_.size(), " rows has a picture in ",
            folder.string(), "; column ", table_.names()[*file_], " of the first row is '",
            table_.size() > 0 ? table_.at(0, *file_) : "",
            "' (data.file_column and data.images choose others)");
    if (label_) read_classes(result);
    if (!values_.empty()) read_values(result);
    if (split_)
      for (const std::size_t row : rows_) result.sides.push_back(side_of(row));
    describe(files, result);
    return result;
  }

 private:
  // The column that a setting names or, if it names none, one with a usual name.
  std::optional<std::size_t> column(const std::string& name, const char* setting,
                                    std::initializer_list<const char*> usual) const {
    const bool optional = !options_.needs_targets && !name.empty() && !table_.called({name.c_str()});
    return name.empty() || optional ? table_.called(usual) : std::optional(table_.chosen(name, setting));
  }
  const std::string& at(std::size_t row, const std::optional<std::size_t>& column) const {
    return table_.at(row, *column);
  }

  void find_rows(const ImageFiles& files, ImageTable& result) {
    std::map<std::int64_t, std::size_t> row_of;
    for (std::size_t row = 0; row < table_.size(); ++row) {
      std::int64_t file = -1;
      try {
        file = files.find(at(row, file_));
      } catch (const Error& error) {
        fail(table_.where(row), ": ", error.what());
      }
      if (file < 0) {
        result.missing.push_back(concat(table_.where(row), ": there is no picture '", at(row, file_), "'"));
        continue;
      }
      const auto [before, is_new] = row_of.emplace(file, row);
      require(is_new, table_.where(row), ": the picture '", at(row, file_), "' has a row already, ",
              table_.where(before->second));
      rows_.push_back(row);
      result.files.push_back(files.all()[static_cast<std::size_t>(file)]);
    }
  }

  std::int64_t side_of(std::size_t row) const {
    const std::string word = lower_case(at(row, split_));
    for (const char* name : {"train", "training", "0"})
      if (word == name) return 0;
    for (const char* name : {"val", "valid", "validation", "dev", "1"})
      if (word == name) return 1;
    for (const char* name : {"test", "testing", "2"})
      if (word == name) return 2;
    fail(table_.where(row), ": column ", table_.names()[*split_], " has '", at(row, split_),
         "', but train, val or test is expected (data.split_column)");
  }

  // Labels that are integers, in their order; texts in alphabetical order; in both cases those of a run first.
  void read_classes(ImageTable& result) {
    std::set<std::int64_t> numbers;
    std::set<std::string> texts;
    bool integers = true;
    for (const std::size_t row : rows_) {
      const std::string& text = at(row, label_);
      require(!is_missing_number(text), table_.where(row), ": column ", table_.names()[*label_],
              " has no label");
      std::int64_t number = 0;
      integers = integers && parse_integer(text, number);
      numbers.insert(number);
      texts.insert(text);
    }
    require(texts.size() > 1 || !options_.classes.empty(), table_.file(), ": column ",
            table_.names()[*label_], " has '", *texts.begin(),
            "' in every row, but at least two classes are expected");
    check_are_classes(texts, integers);
    if (integers) return number_classes(numbers, result);
    name_classes({texts.begin(), texts.end()}, result);
    for (const std::size_t row : rows_) result.classes.push_back(class_of(row, at(row, label_), result));
  }

  void check_are_classes(const std::set<std::string>& texts, bool integers) const {
    double number = 0;
    const bool numbers = std::all_of(texts.begin(), texts.end(),
                                     [&](const std::string& text) { return parse_number(text, number); });
    const std::string column = table_.names()[*label_];
    require(!numbers || integers, table_.file(), ": column ", column, " has numbers such as ", *texts.begin(),
            ", which are not classes; data.value_columns=", column, " learns them as values");
    const bool many = texts.size() > kManyClasses && texts.size() > rows_.size() / 2;
    const bool few = !many && (texts.size() < rows_.size() || texts.size() <= 2);
    require(few || !options_.classes.empty(), table_.file(), ": column ", column, " has ", texts.size(),
            " different labels in ", rows_.size(), " rows; data.label_column chooses another");
  }

  void name_classes(const std::vector<std::string>& names, ImageTable& result) const {
    result.class_names = options_.classes.empty() ? names : options_.classes;
    result.class_count = std::ssize(result.class_names);
  }

  std::int64_t class_of(std::size_t row, const std::string& name, const ImageTable& result) const {
    const auto found = std::find(result.class_names.begin(), result.class_names.end(), name);
    require(found != result.class_names.end(), table_.where(row), ": '", name,
            "' is none of the classes of the run, ", listed(result.class_names, "and"));
    return found - result.class_names.begin();
  }

  // The name of every number, from the column that has them.
  std::map<std::int64_t, std::string> names_of_numbers() const {
    const std::optional<std::size_t> named = column(
        options_.name_column, "data.name_column", {"class_name", "label_name", "class", "category", "name"});
    if (!named || named == label_ || named == file_) return {};
    std::map<std::int64_t, std::string> names;
    std::set<std::string> seen;
    for (const std::size_t row : rows_) {
      std::int64_t number = 0;
      parse_integer(at(row, label_), number);
      const auto [name, is_new] = names.emplace(number, table_.at(row, *named));
      const bool one_to_one =
          is_new ? seen.insert(name->second).second : name->second == table_.at(row, *named);
      require(one_to_one || options_.name_column.empty(), table_.where(row), ": class ", number,
              " is called '", table_.at(row, *named),
              "', but every class is expected to have one name of its own (data.name_column)");
      if (!one_to_one) return {};
    }
    return names;
  }

  // Whether numbers are the classes themselves: counted from 0, without names of their own.
  bool counts_from_zero(const std::set<std::int64_t>& numbers) const {
    const std::vector<std::string>& of_run = options_.classes;
    std::int64_t number = 0;
    for (const std::string& name : of_run)
      if (parse_integer(name, number)) return false;
    if (*numbers.begin() < 0) return false;
    return of_run.empty() ? std::ssize(numbers) == *numbers.rbegin() + 1
                          : *numbers.rbegin() < std::ssize(of_run);
  }

  void number_classes(const std::set<std::int64_t>& numbers, ImageTable& result) {
    const std::map<std::int64_t, std::string> names = names_of_numbers();
    const bool counted = names.empty() && counts_from_zero(numbers);
    const auto name_of = [&](std::int64_t number) {
      return names.empty() ? std::to_string(number) : names.at(number);
    };
    std::vector<std::string> ordered;
    ordered.reserve(numbers.size());
    for (const std::int64_t number : numbers) ordered.push_back(name_of(number));
    if (counted && options_.classes.empty())
      result.class_count = std::ssize(numbers);
    else
      name_classes(ordered, result);
    for (const std::size_t row : rows_) {
      std::int64_t number = 0;
      parse_integer(at(row, label_), number);
      result.classes.push_back(counted ? number : class_of(row, name_of(number), result));
    }
  }

  void read_values(ImageTable& result) const {
    for (const std::size_t column : values_) result.value_names.push_back(table_.names()[column]);
    for (const std::size_t row : rows_) {
      for (const std::size_t column : values_) {
        double number = 0;
        require(parse_number(table_.at(row, column), number) && std::isfinite(number), table_.where(row),
                ": column ", table_.names()[column], " has '", table_.at(row, column),
                "', but a number is expected");
        result.values.push_back(number);
      }
    }
  }

  void describe(const ImageFiles& files, ImageTable& result) const {
    std::string text = concat(table_.file(), ": pictures from column ", table_.names()[*file_]);
    if (label_) text += concat(", classes from column ", table_.names()[*label_]);
    if (!values_.empty()) text += concat(", values from ", listed(result.value_names, "and"));
    if (split_) text += concat(", split from column ", table_.names()[*split_]);
    result.notes.push_back(text);
    const std::int64_t without = std::ssize(files.all()) - std::ssize(result.files);
    if (without > 0) result.notes.push_back(concat(without, " pictures have no row in ", table_.file()));
    if (!label_ && values_.empty())
      result.why_no_targets =
          concat(table_.file(), ": no column is known to have labels; data.label_column or ",
                 "data.value_columns choose from ", listed(table_.names(), ""));
  }

  const TextTableRows& table_;
  const ImageOptions& options_;
  std::optional<std::size_t> file_, label_, split_;
  std::vector<std::size_t> values_;
  std::vector<std::size_t> rows_;  // with a picture
};

}  // namespace

ImageTable read_image_table(const fs::path& folder, const ImageOptions& options) {
  const bool chosen =
      !options.images.empty() && (options.needs_targets || fs::is_directory(folder / options.images));
  const fs::path images = chosen                                ? folder / options.images
                          : fs::is_directory(folder / "images") ? folder / "images"
                                                                : folder;
  require(fs::is_directory(images), images.string(), ": there is no such folder (data.images)");
  const ImageFiles files(folder, images);
  const fs::path labels = table_of(folder, options);
  if (!labels.empty()) {
    const TextTableRows table(labels);
    Reader reader(table, options, files);
    if (reader.names_pictures() || options.needs_targets) return reader.read(folder, files);
  }
  ImageTable result;
  result.files = files.all();
  result.why_no_targets = concat(folder.string(), ": there is no CSV file with labels (data.labels)");
  return result;
}

}  // namespace umbra
