// The description of the files that `import` reads.
#include <algorithm>

#include "data/images/labels.h"
#include "engine/base/error.h"
#include "engine/base/nearest.h"
#include "tools/common/import_formats.h"
#include "tools/common/tool.h"
#include "tools/info/columns.h"
#include "tools/info/kinds.h"
#include "tools/info/verdict.h"

namespace umbra {
namespace {

struct Found {
  const ImportFormat* format = nullptr;
  Recognised file;
};

std::optional<Found> recognise(const FileLook& file) {
  for (const ImportFormat& format : import_formats())
    if (std::optional<Recognised> found = format.recognise(file)) return Found{&format, std::move(*found)};
  return std::nullopt;
}

// What the table and the recogniser know of the simulation; lengths in Mpc/h.
TableHeader header_of(const Recognised& file, const std::vector<TableChoice>& choices) {
  TableHeader header = file.table->header();
  header.box_size = side_in_file(header, choices);
  const auto take = [](std::optional<double>& to, const std::optional<double>& from) {
    if (from) to = from;
  };
  take(header.box_size, file.header.box_size);
  take(header.h, file.header.h);
  take(header.omega_m, file.header.omega_m);
  take(header.omega_b, file.header.omega_b);
  take(header.sigma_8, file.header.sigma_8);
  take(header.n_s, file.header.n_s);
  take(header.redshift, file.header.redshift);
  return header;
}

// The columns, or, if a unit needs an h that the file does not contain, those for h = 1.
std::vector<TableChoice> choose(const Recognised& file, const std::string& where, bool& needs_h,
                                std::vector<std::string>& lines) {
  const std::optional<double> h = file.header.h ? file.header.h : file.table->header().h;
  ImportReport report;
  try {
    return choose_columns(*file.table, file.how, h, where, report);
  } catch (const Error& error) {
    lines.emplace_back(error.what());
  }
  try {
    std::vector<TableChoice> choices = choose_columns(*file.table, file.how, h.value_or(1), where, report);
    needs_h = !h;
    if (needs_h) lines.emplace_back("the ranges above are those for h = 1");
    return choices;
  } catch (const Error&) {
    return {};
  }
}

// The `--columns` of import table: only what its defaults do not give.
std::string columns_to_type(const Survey& survey, const Verdict& verdict) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ",") + part; };
  for (const ColumnFacts& column : survey.columns) {
    const bool by_name = lower_case(column.from) == column.name || column.from.empty();
    if (!column.is_read || (by_name && !column.is_logarithm)) continue;
    const std::string from = column.from.empty() ? column.name : column.from;
    add(concat(column.name, "=", column.is_logarithm ? "10**" : "", from));
  }
  for (const std::string& name : verdict.missing) add(concat(name, "=NAME"));
  return text;
}

std::string command_for(const Found& found, const std::string& path, const Survey& survey,
                        const Verdict& verdict, bool needs_box_size, bool needs_h, const std::string& units) {
  const std::string name = found.format->name;
  std::string command = concat("import ", name, " ", shell_word(path));
  if (name == "table") {
    const std::string columns = columns_to_type(survey, verdict);
    if (!columns.empty()) command += " --columns " + shell_word(columns);
  }
  // What the recogniser has read in comments, which import table does not.
  if (const TableHeader& known = found.file.header; name == "table") {
    if (known.box_size) command += concat(" --box-size ", *known.box_size);
    if (known.h) command += concat(" --h ", *known.h);
  }
  if (name == "um-bin") command += " --hlist HLIST";
  if (!units.empty()) command += " --units " + shell_word(units);
  if (needs_box_size) command += " --box-size SIDE";
  if (needs_h) command += " --h H";
  if (verdict.has_bad_values && !found.file.skips_motionless) command += " --skip-bad-rows";
  return command + " --out catalog.h5";
}

// "consistent-trees hlist_<a>.list" of the line of --help.
std::string first_part(const std::string& what) {
  return what.substr(0, what.find_first_of(":,"));
}

// `--units` for numbers whose unit is not in the file and that a catalog cannot have.
std::string guessed_units(const std::vector<TableChoice>& choices, const Survey& columns) {
  constexpr double kLarge = 4000;  // Mpc/h
  const auto is_position = [](const TableChoice& choice) {
    return choice.kind->check == ColumnKind::Check::kPosition;
  };
  const bool are_far = std::any_of(choices.begin(), choices.end(), [&](const TableChoice& choice) {
    return is_position(choice) && columns.find(choice.kind->name)->largest > kLarge;
  });
  std::string text;
  for (const TableChoice& choice : choices) {
    if (!choice.unit.empty()) continue;
    const ColumnFacts& facts = *columns.find(choice.kind->name);
    const bool is_far = are_far && is_position(choice);
    if (is_far || facts.is_too_light)
      text += concat(text.empty() ? "" : ",", facts.name, "=", is_far ? "kpc/h" : "1e10 Msun/h");
  }
  return text;
}

// What is given to import: of a single CAMELS file the folder.
std::string place_of(const FileLook& file, const Found& found) {
  const bool in_folder =
      std::string_view(found.format->name) == "camels" && file.content() != Content::kFolder;
  return in_folder ? file.path().parent_path().string() : file.path().string();
}

std::string box_size_line(const TableHeader& header, const Recognised& file, const Survey& columns) {
  if (header.box_size) return concat("box size: ", *header.box_size, " Mpc/h");
  if (const std::optional<double> side = file.table->header().box_size)
    return concat("box size: ", *side, " in the unit of the positions");
  std::string line = "box size: not in the file";
  if (file.usual_box_size) line += concat("; ", *file.usual_box_size, " Mpc/h is usual");
  if (const ColumnFacts* x = columns.find("x"); x != nullptr)
    line += concat("; x is from ", x->smallest, " to ", x->largest, " Mpc/h");
  return line;
}

// A text that is not a table is found out only when its rows are read.
Survey survey_of(const Recognised& found, const std::vector<TableChoice>& choices, bool is_table,
                 double box_size, const std::string& path) {
  try {
    return survey(*found.table, choices, is_table, box_size);
  } catch (const Error& error) {
    if (!is_table) throw;
    std::string_view why = error.what();
    if (const std::string file_name = concat("file '", path, "' "); why.starts_with(file_name))
      why.remove_prefix(file_name.size());
    fail("'", path, "' is neither a file of umbra nor one that import reads: ", why);
  }
}

}  // namespace

std::optional<Description> describe_import(const FileLook& file) {
  std::optional<Found> found = recognise(file);
  if (!found) return std::nullopt;
  const Recognised& recognised = found->file;
  const bool is_table = std::string_view(found->format->name) == "table";
  const std::string path = file.path().string();
  std::vector<std::string> problems;
  bool needs_h = false;
  const std::vector<TableChoice> choices = choose(recognised, concat("file '", path, "'"), needs_h, problems);
  const TableHeader header = header_of(recognised, choices);
  const std::optional<double> box_size = header.box_size ? header.box_size : recognised.usual_box_size;
  const Survey columns = survey_of(recognised, choices, is_table, box_size.value_or(0), path);
  Description text{is_table ? concat(recognised.table->what().starts_with('H') ? "an " : "a ",
                                     recognised.table->what(), " of ", recognised.table->columns().size(),
                                     " columns")
                            : first_part(found->format->what)};
  if (!recognised.detail.empty()) text.what += ": " + recognised.detail;
  text.lines.push_back(cosmology_line(header));
  text.lines.push_back(box_size_line(header, recognised, columns));
  text.lines.push_back(
      concat("columns, from ", extent_of(columns), is_table ? "; those in parentheses are not read:" : ":"));
  for (const std::string& line : columns.lines()) text.lines.push_back("  " + line);
  for (const std::string& note : recognised.table->notes()) text.lines.push_back("note: " + note);
  text.lines.insert(text.lines.end(), problems.begin(), problems.end());
  const Verdict verdict = verdict_on(columns, "import leaves out such a column");
  constexpr std::size_t kAll = 4;  // x, y, z and vpeak: then it hardly is a halo catalog
  const bool is_of_images = verdict.missing.size() == kAll && is_in_image_folder(file.path());
  if (is_of_images)
    text.lines.emplace_back("no halos, but images are next to it: their folder is given to the tools");
  else
    text.lines.insert(text.lines.end(), verdict.lines.begin(), verdict.lines.end());
  const bool has_box_size = box_size || recognised.table->header().box_size;
  const std::string units = is_table ? guessed_units(choices, columns) : "";
  if (!units.empty()) text.lines.push_back("by their size some columns have other units, perhaps " + units);
  if (is_of_images) {
    const auto folder = file.path().parent_path();
    text.next.push_back(concat("info ", shell_word(folder.empty() ? "." : folder.string())));
  }
  if (verdict.missing.size() < kAll)
    text.next.push_back(
        command_for(*found, place_of(file, *found), columns, verdict, !has_box_size, needs_h, units));
  return text;
}

}  // namespace umbra
