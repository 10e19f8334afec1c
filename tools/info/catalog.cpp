// The description of catalogs.
#include "data/catalogs/catalog_reader.h"
#include "engine/base/error.h"
#include "tools/common/tool.h"
#include "tools/info/columns.h"
#include "tools/info/kinds.h"
#include "tools/info/verdict.h"

namespace umbra {
namespace {

// Why train would refuse the file before it reads rows, or "".
std::string refusal(const std::filesystem::path& path) {
  try {
    const CatalogReader reader(path, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string logarithms_as_masses(const Survey& survey) {
  std::string text;
  for (const ColumnFacts& column : survey.columns)
    if (column.is_logarithm)
      text += concat(text.empty() ? "" : ",", column.name, "=10**",
                     column.from.empty() ? column.name : column.from);
  return text;
}

std::string mended_by(const std::string& file, const Survey& survey, const Verdict& verdict) {
  std::string columns = logarithms_as_masses(survey);
  for (const std::string& name : verdict.missing)
    columns += concat(columns.empty() ? "" : ",", name, "=NAME");
  return concat("import table ", file, " --group halos", columns.empty() ? "" : " --columns ", columns,
                verdict.has_bad_values ? " --skip-bad-rows" : "", " --out NEW.h5");
}

}  // namespace

std::string cosmology_line(const TableHeader& header) {
  std::string text;
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) text += concat(text.empty() ? "" : ", ", name, " ", *value);
  };
  add("h", header.h);
  add("omega_m", header.omega_m);
  add("omega_b", header.omega_b);
  add("sigma_8", header.sigma_8);
  add("n_s", header.n_s);
  add("redshift", header.redshift);
  return text.empty() ? "cosmology: not in the file" : "cosmology: " + text;
}

std::optional<Description> describe_catalog(const FileLook& file) {
  if (file.hdf5() == nullptr || !file.hdf5()->has_group("halos")) return std::nullopt;
  const std::string path = file.path().string(), word = shell_word(path);
  const std::unique_ptr<Table> table = open_hdf5_table(file.path(), "halos");
  const TableHeader& header = table->header();
  ImportReport report;
  const std::vector<TableChoice> choices =
      choose_columns(*table, {.group = "halos"}, header.h, concat("file '", path, "'"), report);
  const Survey found = survey(*table, choices, true, header.box_size.value_or(0));
  const Hdf5File& hdf5 = *file.hdf5();
  const std::int64_t boxes = hdf5.has_attribute("/", "boxes") ? hdf5.attribute_integer("/", "boxes") : 1;
  const std::string source = hdf5.remark("/", "source"), version = hdf5.remark("/", "umbra_version");
  Description text{concat("a catalog of ", boxes, boxes == 1 ? " cube" : " cubes", " of ",
                          header.box_size.value_or(0), " Mpc/h, ", *table->rows(), " rows")};
  text.lines.push_back(concat("source: ", source.empty() ? "not in the file" : source,
                              version.empty() ? "" : concat("; written by umbra ", version)));
  text.lines.push_back(cosmology_line(header));
  if (hdf5.has_group("boxes")) {
    std::string names;
    for (const Hdf5Entry& entry : hdf5.list("boxes")) names += " " + entry.name;
    text.lines.push_back("parameters of every cube:" + names);
  }
  text.lines.push_back(concat("columns, from ", extent_of(found), ":"));
  for (const std::string& line : found.lines()) text.lines.push_back("  " + line);
  for (const std::string& note : report.notes)
    if (note.find("units that neither") == std::string::npos) text.lines.push_back("note: " + note);
  const Verdict verdict =
      verdict_on(found, "train refuses the catalog; import table leaves out such a column");
  text.lines.insert(text.lines.end(), verdict.lines.begin(), verdict.lines.end());
  const std::string refused = refusal(file.path());
  if (!refused.empty()) text.lines.push_back("train refuses it: " + refused);
  const bool any_bad = std::any_of(found.columns.begin(), found.columns.end(), [](const ColumnFacts& column) {
    return column.is_read && column.bad > 0;
  });
  if (!refused.empty() || !verdict.missing.empty() || any_bad || verdict.has_logarithms)
    text.next.push_back(mended_by(word, found, verdict));
  else if (!verdict.has_masses)
    text.next.push_back(concat("predict --run RUN --data ", word, " --out predictions.h5"));
  else
    text.next.push_back(concat("train --data ", word, " --out run"));
  return text;
}

}  // namespace umbra
