#include "data/catalogs/table_columns.h"

#include <algorithm>

#include "data/catalogs/catalog_checks.h"
#include "data/catalogs/import_rows.h"
#include "data/tables/column_names.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const ColumnKind& kind : column_kinds()) names.emplace_back(kind.name);
  return names;
}

const ColumnKind& kind_of(const std::string& name, std::string_view option) {
  const ColumnKind* kind = find_kind(name);
  if (kind == nullptr) {
    std::string known;
    for (const std::string& column : kind_names()) known += " " + column;
    fail(option, ": a catalog has no column '", name, "'", closest_hint(kind_names(), name),
         "; its columns are:", known);
  }
  return *kind;
}

// The names of a table for a message, not all of a long list.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 40;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) list += " " + names[i];
  return names.size() > kMost ? concat(list, " and ", names.size() - kMost, " more") : list;
}

class Chooser {
 public:
  Chooser(const Table& table, const TableOptions& options, const std::string& where, ImportReport& report)
      : table_(table), options_(options), where_(where), report_(report), names_(table.names()) {}

  std::vector<TableChoice> choose() {
    if (!options_.columns.empty())
      for (Assignment& assignment : parse_assignments(options_.columns, "--columns")) add_named(assignment);
    for (const ColumnKind& kind : column_kinds()) add_by_name(kind);
    std::sort(choices_.begin(), choices_.end(), [](const TableChoice& a, const TableChoice& b) {
      return a.kind < b.kind;  // the order of column_kinds()
    });
    return std::move(choices_);
  }

 private:
  bool has(std::string_view name) const {
    return std::any_of(choices_.begin(), choices_.end(),
                       [&](const TableChoice& choice) { return choice.kind->name == name; });
  }
  void note_spelling(std::size_t source, std::string_view wanted) {
    if (names_[source] != wanted) report_.notes.push_back(read_as(names_[source], wanted));
  }
  void add_named(Assignment& assignment) {
    const ColumnKind& kind = kind_of(assignment.target, "--columns");
    if (is_dropped(options_.rows, kind.name)) return;
    TableChoice choice{&kind, std::move(assignment.value), {}, true};
    require(!choice.is_integer() || choice.value.is_column(), "--columns ", kind.name, "=",
            choice.value.text(), ": ", kind.name,
            " holds integers, so the name of a column is expected and not a calculation");
    require(!choice.value.names().empty(), "--columns ", kind.name, "=", choice.value.text(),
            ": the name of a column is expected, not a number alone");
    for (const std::string& name : choice.value.names()) {
      const std::optional<std::size_t> source = find_name(names_, name, where_);
      if (!source) {
        const bool is_text =
            std::find(table_.others().begin(), table_.others().end(), name) != table_.others().end();
        fail(where_, is_text ? " has no numbers in the column '" : " has no column '", name, "' (--columns ",
             kind.name, "=", choice.value.text(), ")", closest_hint(names_, name),
             "; its columns are:", listed(names_));
      }
      note_spelling(*source, name);
      choice.sources.push_back(*source);
    }
    choices_.push_back(std::move(choice));
  }
  void add_by_name(const ColumnKind& kind) {
    if (has(kind.name) || is_dropped(options_.rows, kind.name)) return;
    const std::optional<std::size_t> source = find_name(names_, kind.name, where_);
    if (!source) return;
    note_spelling(*source, kind.name);
    Expression value(names_[*source], {names_[*source]}, {{Expression::Step::Kind::kColumn, 0, 0}});
    choices_.push_back({&kind, std::move(value), {*source}, false});
  }

  const Table& table_;
  const TableOptions& options_;
  const std::string& where_;
  ImportReport& report_;
  std::vector<std::string> names_;
  std::vector<TableChoice> choices_;
};

// Takes the units of --units.
void take_given_units(const std::string& text, std::vector<TableChoice>& choices) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t sign = part.find('=');
    require(sign != std::string_view::npos, "--units: '", part,
            "' is not a column and its unit; COLUMN=UNIT is expected, e.g. x=kpc/h");
    const std::string name(trim(part.substr(0, sign))), unit(trim(part.substr(sign + 1)));
    const ColumnKind& kind = kind_of(name, "--units");
    const auto choice =
        std::find_if(choices.begin(), choices.end(), [&](const TableChoice& c) { return c.kind == &kind; });
    require(choice != choices.end(), "--units ", part, ": the column '", name, "' is not read; --columns ",
            name, "=NAME names it");
    require(!unit.empty(), "--units ", part, ": a unit is expected, e.g. ", kind.unit);
    choice->unit = unit;
  }
}

// "x y z Mpc/h, vpeak km/s"
std::string units_of(const std::vector<const TableChoice*>& choices) {
  std::string text, unit;
  for (const TableChoice* choice : choices) {
    if (!unit.empty() && unit != choice->kind->unit) text += concat(" ", unit, ",");
    text += concat(" ", choice->kind->name);
    unit = choice->kind->unit;
  }
  return concat(text, " ", unit);
}

void settle_units(const Table& table, std::optional<double> h, const std::string& where,
                  std::vector<TableChoice>& choices, ImportReport& report) {
  std::vector<const TableChoice*> assumed;
  for (TableChoice& choice : choices) {
    if (choice.is_integer()) continue;
    const std::string name(choice.kind->name);
    if (choice.unit.empty() && choice.value.is_column())
      choice.unit = table.columns()[choice.sources[0]].unit;
    if (choice.unit.empty()) {
      if (choice.kind->unit != "1") assumed.push_back(&choice);
      continue;
    }
    choice.change = unit_change(choice.unit, choice.kind->unit, h, name, where);
    if (!choice.change.is_none())
      report.notes.push_back(
          concat("column ", name, " converted from ", choice.unit, " to ", choice.kind->unit));
  }
  if (!assumed.empty())
    report.notes.push_back(
        concat("units that neither the file nor --units gives are those of a catalog:", units_of(assumed)));
}

}  // namespace

void check_needed_columns(const Table& table, const std::vector<TableChoice>& choices,
                          const std::string& where) {
  const std::vector<std::string> names = table.names();
  std::string missing, words, hint;
  for (const char* needed : {"x", "y", "z", "vpeak"}) {
    if (std::any_of(choices.begin(), choices.end(),
                    [&](const TableChoice& choice) { return choice.kind->name == needed; }))
      continue;
    if (hint.empty()) hint = closest_hint(names, needed);
    missing += concat(missing.empty() ? "'" : ", '", needed, "'");
    words += concat(words.empty() ? "" : ",", needed, "=NAME");
  }
  require(missing.empty(), where, " has no column ", missing, hint, "; give --columns ", words,
          " with names of its columns:", listed(names), " (info proposes them)");
}

std::optional<double> side_in_file(const TableHeader& header, const std::vector<TableChoice>& choices) {
  const auto x = std::find_if(choices.begin(), choices.end(),
                              [](const TableChoice& choice) { return choice.kind->name == "x"; });
  if (!header.box_size || x == choices.end() || !x->value.is_column()) return std::nullopt;
  return x->change(*header.box_size);
}

std::vector<TableChoice> choose_columns(const Table& table, const TableOptions& options,
                                        std::optional<double> h, const std::string& where,
                                        ImportReport& report) {
  std::vector<TableChoice> choices = Chooser(table, options, where, report).choose();
  take_given_units(options.units, choices);
  settle_units(table, h, where, choices, report);
  return choices;
}

}  // namespace umbra
