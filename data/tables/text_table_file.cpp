// Tables of text, whatever separates their fields. The rows are read in parallel (data/tables/text_rows.h).
#include <algorithm>
#include <limits>

#include "data/tables/table.h"
#include "data/tables/text_fields.h"
#include "data/tables/text_head.h"
#include "data/tables/text_rows.h"
#include "engine/base/error.h"
#include "engine/io/text_reader.h"

namespace umbra {
namespace {

// "Vmax\@Mpeak(74)" becomes "Vmax@Mpeak"; "x(kpc/h)" and "x [kpc/h]" become x with its unit.
TableColumn column_of(std::string_view field) {
  std::string name;
  for (const char c : field)
    if (c != '\\') name += c;
  const char closing = name.empty() ? ' ' : name.back();
  const std::size_t open = closing == ')'   ? name.rfind('(')
                           : closing == ']' ? name.rfind('[')
                                            : std::string::npos;
  if (open == std::string::npos || open == 0) return {name, ""};
  const std::string inside = name.substr(open + 1, name.size() - open - 2);
  const bool is_number = inside.find_first_not_of("0123456789") == std::string::npos;
  if (is_number && closing == ']') return {name, ""};  // the k-th of several columns
  // "x(kpc(h))" has its unit before the last parenthesis.
  if (std::count(name.begin(), name.end(), '(') > 1 && closing == ')') {
    const std::size_t first = name.find('(');
    return {std::string(trim(name.substr(0, first))), name.substr(first + 1, name.size() - first - 2)};
  }
  return {std::string(trim(name.substr(0, open))), is_number ? "" : inside};
}

class TextTableFile final : public Table {
 public:
  explicit TextTableFile(const std::filesystem::path& path)
      : file_("file '" + path.string() + "'"), reader_(path) {
    read_head();
    what_ = separator_ == ','   ? "CSV table"
            : separator_ == ';' ? "table separated by semicolons"
                                : "text table";
  }

  TableData read(const TableRequest& request) override;
  std::string place(std::size_t row) const override { return concat("line ", lines_[row]); }

 private:
  using Fields = std::vector<std::string_view>;

  void read_head();
  void take_ecsv_unit(std::string_view comment);
  Fields fields_of(std::string_view line, char separator) const {
    Fields fields;
    if (const std::string wrong = split_fields(line, separator, fields); !wrong.empty())
      fail(where(reader_.line()), ": ", wrong);
    return fields;
  }
  std::string where(std::int64_t line) const { return concat(file_, " line ", line); }
  RowPlan plan_of(const TableRequest& request, TableData& rows) const;
  void take_row(std::string_view line, std::int64_t number, const RowPlan& plan, bool lenient,
                TableData& rows);

  std::string file_;  // for messages
  TextReader reader_;
  char separator_ = ' ';
  std::string first_row_;  // a row that was read to find the names, or empty
  std::int64_t first_line_ = 0;
  RowLines lines_;  // of the rows
};

void TextTableFile::read_head() {
  TextHead head = read_text_head(reader_, file_, RowsOf::kNumbers);
  separator_ = head.separator;
  first_row_ = std::move(head.first_row);
  first_line_ = head.first_line;
  for (const std::string& name : head.names) columns_.push_back(column_of(name));
  if (!head.note.empty()) notes_.push_back(head.note);
  for (const std::string& comment : head.comments) take_ecsv_unit(comment);
}

// Astropy's ECSV describes columns in comments: "- {name: X, unit: kpc, datatype: float64}".
void TextTableFile::take_ecsv_unit(std::string_view comment) {
  const auto value = [&](std::string_view key) {
    const std::size_t begin = std::min(comment.find(key), comment.size());
    const std::string_view rest = comment.substr(std::min(begin + key.size(), comment.size()));
    return trim(rest.substr(0, rest.find_first_of(",}")));
  };
  if (!comment.starts_with("- {name: ")) return;
  for (TableColumn& column : columns_)
    if (column.name == value("{name: ") && column.unit.empty()) column.unit = value(", unit: ");
}

RowPlan TextTableFile::plan_of(const TableRequest& request, TableData& rows) const {
  RowPlan plan;
  plan.file = file_;
  plan.separator = separator_;
  plan.names = names();
  plan.skip_bad_rows = request.skip_bad_rows;
  plan.cut = request.cut;
  plan.minimum = request.minimum;
  rows.numbers.resize(request.numbers.size());
  rows.integers.resize(request.integers.size());
  for (std::size_t i = 0; i < request.numbers.size(); ++i)
    plan.columns.push_back({static_cast<int>(request.numbers[i]), &rows.numbers[i], nullptr,
                            !request.needed.empty() && request.needed[i] != 0});
  for (std::size_t i = 0; i < request.integers.size(); ++i)
    plan.columns.push_back({static_cast<int>(request.integers[i]), nullptr, &rows.integers[i], true});
  return plan;
}

// Stores one row, as read_rows() does with the others.
void TextTableFile::take_row(std::string_view line, std::int64_t number, const RowPlan& plan, bool lenient,
                             TableData& rows) {
  const Fields fields = fields_of(line, separator_);
  if (fields.size() != columns_.size())
    fail(where(number), ": ", fields.size(), " fields, but the header line names ", columns_.size(),
         " columns");
  ++rows.read;
  std::vector<double> values(plan.columns.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<std::int64_t> integers(plan.columns.size());
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const RowPlan::Column& column = plan.columns[i];
    const auto at = static_cast<std::size_t>(column.field);
    const std::string_view text = fields[at];
    if (column.numbers ? parse_number(text, values[i]) : parse_integer(text, integers[i])) continue;
    if (column.numbers && (lenient || (!column.needed && is_missing_number(text)))) continue;
    if (!plan.skip_bad_rows)
      fail(where(number), ": column '", columns_[at].name, "' is '", text, "', ",
           column.numbers ? "a number" : "an integer",
           " is expected; --skip-bad-rows leaves out such rows, --drop a column");
    ++rows.bad;
    return;
  }
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (plan.columns[i].numbers)
      plan.columns[i].numbers->push_back(values[i]);
    else
      plan.columns[i].integers->push_back(integers[i]);
  }
  lines_.add(number);
}

TableData TextTableFile::read(const TableRequest& request) {
  TableData rows;
  RowPlan plan = plan_of(request, rows);
  if (!first_row_.empty()) take_row(first_row_, first_line_, plan, request.is_lenient, rows);
  if (request.most_rows == std::numeric_limits<std::int64_t>::max()) {
    Stage stage(request.progress, "reading", static_cast<std::int64_t>(reader_.size()));
    plan.stage = &stage;
    const RowCounts counts = read_rows(reader_, plan);
    rows.read += counts.read;
    rows.bad += counts.bad;
    if (reader_.ends_within_line()) notes_.emplace_back(kEndsWithinLine);
    for (std::size_t row = 0; row < counts.lines.size(); ++row) lines_.add(counts.lines[row]);
    return rows;
  }
  std::string_view line;
  while (reader_.next_line(line)) {
    if (trim(line).empty() || trim(line).starts_with('#')) continue;
    rows.is_complete = rows.read < request.most_rows;
    if (!rows.is_complete) break;
    take_row(line, reader_.line(), plan, request.is_lenient, rows);
  }
  return rows;
}

}  // namespace

std::unique_ptr<Table> open_text_table(const std::filesystem::path& path) {
  return std::make_unique<TextTableFile>(path);
}

}  // namespace umbra
