#include "data/images/table_columns.h"

#include <algorithm>

#include "engine/base/error.h"
#include "engine/base/listed.h"

namespace umbra {
namespace {

// The column whose first entries name most images; of several, one with a usual name.
std::optional<std::size_t> file_column(const TextTableRows& table, const ImageOptions& options,
                                       const ImageFiles& files) {
  const std::string& name = options.file_column;
  if (options.needs_targets && !name.empty()) return table.chosen(name, "data.file_column");
  std::vector<std::size_t> candidates;
  if (const auto chosen = table.called({name.c_str()}); chosen && !name.empty())
    candidates.push_back(*chosen);
  for (const char* usual : {"file", "filename", "file_name", "image", "image_name", "path", "objid",
                            "dr7objid", "galaxyid", "asset_id", "image_id", "object_id", "id", "name"})
    if (const auto found = table.called({usual})) candidates.push_back(*found);
  std::optional<std::size_t> best;
  if (!candidates.empty() && options.needs_targets)
    best = candidates[0];  // for the message that none of its rows has an image
  for (std::size_t i = 0; i < table.names().size(); ++i) candidates.push_back(i);
  std::size_t most = 0;
  for (const std::size_t candidate : candidates) {
    std::size_t hits = 0;
    for (std::size_t row = 0; row < table.first_rows(); ++row)
      hits += files.has(table.first(row, candidate)) ? 1 : 0;
    if (hits > most) best = candidate;
    most = std::max(most, hits);
  }
  return best;
}

class Chooser {
 public:
  Chooser(const TextTableRows& table, const ImageOptions& options) : table_(table), options_(options) {}

  // The column that a setting names or, if it names none, one with a usual name. To predict, none if it is not there.
  std::optional<std::size_t> column(const std::string& name, const char* setting,
                                    std::initializer_list<const char*> usual) {
    if (name.empty()) return table_.called(usual);
    if (options_.needs_targets || table_.called({name.c_str()})) return table_.chosen(name, setting);
    columns.missing.push_back(name);
    return std::nullopt;
  }

  void add_values(const std::string& name) {
    const auto value = column(name, "data.value_columns", {});
    if (!value) return;
    require(std::find(columns.values.begin(), columns.values.end(), *value) == columns.values.end(),
            "data.value_columns names the column ", table_.names()[*value], " twice");
    columns.values.push_back(*value);
  }

  TableColumns columns;

 private:
  const TextTableRows& table_;
  const ImageOptions& options_;
};

}  // namespace

std::vector<std::size_t> TableColumns::all() const {
  std::vector<std::size_t> all = values;
  all.push_back(files);
  for (const std::optional<std::size_t>& column : {labels, names, split})
    if (column) all.push_back(*column);
  return all;
}

TableColumns choose_columns(const TextTableRows& table, const ImageOptions& options,
                            const ImageFiles& files) {
  const std::optional<std::size_t> of_files = file_column(table, options, files);
  require(of_files.has_value(), table.file(), ": no column is known to name the images",
          options.needs_targets ? "; data.file_column chooses one of " : "; there are ",
          listed(table.names(), ""));
  Chooser chooser(table, options);
  TableColumns& columns = chooser.columns;
  columns.files = *of_files;
  columns.split = chooser.column(options.split_column, "data.split_column", {"split", "subset", "partition"});
  for (const std::string& name : options.value_columns) chooser.add_values(name);
  if (columns.values.size() != options.value_columns.size()) columns.values.clear();
  const bool knows_classes = options.needs_targets || options.of_run.count > 0;
  if (!options.value_columns.empty() || !knows_classes) return columns;
  columns.labels = chooser.column(
      options.label_column, "data.label_column",
      {"label", "class", "target", "category", "class_id", "class_name", "morphology", "type"});
  columns.names = chooser.column(options.name_column, "data.name_column",
                                 {"class_name", "label_name", "class", "category", "name"});
  if (columns.names == columns.files) columns.names.reset();
  return columns;
}

}  // namespace umbra
