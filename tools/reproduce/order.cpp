#include "tools/reproduce/order.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr double kLarge = 1e5;  // of trainings that went wrong: powers of ten from here on

// The power of ten below a number, "10¹²".
std::string power_of_ten(double number) {
  constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = "10";
  for (const char digit : std::to_string(static_cast<int>(std::floor(std::log10(number)))))
    text += kDigits[digit - '0'];
  return text;
}

// The forest that the authors' code compared with: of M*, the mean mass per voxel.
const ResultRow* forest_of_paper(const Results& results) {
  for (const ResultRow& row : results.rows)
    if (row.kind == RowKind::kForest && row.recipe == "forest linear" &&
        row.way == "mean prediction per voxel")
      return &row;
  return nullptr;
}

std::string described(const Difference& difference) {
  return concat(with_error(difference.mean, difference.error()), " (",
                with_error(difference.mean, difference.over_boxes), " over boxes alone)");
}

std::string step_text(const OrderStep& step) {
  const std::string pair =
      concat("`", step.worse->label, "` ", step.may_be_equal ? "≥" : ">", " `", step.better->label, "`");
  const std::string by = concat("the difference is ", described(step.difference));
  switch (judgement_of(step.difference)) {
    case Judgement::kHigher:
      return concat("- ", pair, ": **yes**; ", by, "\n");
    case Judgement::kLower:
      return concat("- ", pair, ": **no, it is reversed**; ", by, "\n");
    case Judgement::kUndecided:
      return concat("- ", pair, step.may_be_equal ? ": **compatible**; " : ": **undecided**; ", by, "\n");
  }
  return "";
}

// What the order was tested for, unless it is that of the paper.
std::string of_widths(const std::vector<OrderStep>& steps) {
  constexpr std::int64_t kOfPaper[] = {20, 100, 200};
  std::vector<std::int64_t> widths;
  std::string text;
  for (const OrderStep& step : steps) {
    widths.push_back(step.better->channels);
    text += concat(text.empty() ? "" : ", ", widths.back());
  }
  const bool same = std::equal(widths.begin(), widths.end(), std::begin(kOfPaper), std::end(kOfPaper));
  return same ? "" : concat(", as far as it was run: C = ", text);
}

std::string chi2_text(const Chi2& chi2) {
  return with_error(chi2.mean(), chi2.standard_error());
}

// A sentence about a row and another that may beat it.
std::string comparison(const ResultRow& row, const ResultRow& other) {
  const Difference by = difference(row.linear, other.linear);
  const std::string names = concat("`", row.label, "`");
  const std::string size = with_error(std::abs(by.mean), by.error());
  switch (judgement_of(by)) {
    case Judgement::kHigher:
      return concat("**", names, " is beaten by `", other.label, "`**: its χ² is ", size, " higher.\n");
    case Judgement::kLower:
      return concat(names, " beats `", other.label, "`: its χ² is ", size, " lower.\n");
    case Judgement::kUndecided:
      return concat(names, " and `", other.label, "` do not differ measurably: by ",
                    with_error(by.mean, by.error()), ".\n");
  }
  return "";
}

}  // namespace

std::string with_error(double value, double error) {
  char text[96];
  const double largest = std::max(std::abs(value), error);
  const bool large = largest >= kLarge && std::isfinite(largest);
  const double scale = large ? std::pow(10, std::floor(std::log10(largest))) : 1;
  const double of_scale = error / scale;
  int digits = large ? 1 : 0;
  if (of_scale > 0 && std::isfinite(of_scale))
    digits = std::clamp(1 - static_cast<int>(std::floor(std::log10(of_scale))), digits, large ? 2 : 4);
  std::snprintf(text, sizeof text, large ? "(%.*f ± %.*f)·" : "%.*f ± %.*f", digits, value / scale, digits,
                of_scale);
  return large ? text + power_of_ten(largest) : text;
}

std::string number_text(double value, int digits) {
  char text[64];
  const double size = std::abs(value);
  const bool large = size >= kLarge && std::isfinite(size);
  if (large)
    std::snprintf(text, sizeof text, "%.1f·", value / std::pow(10, std::floor(std::log10(size))));
  else if (size >= std::pow(10, digits))
    std::snprintf(text, sizeof text, "%.0f", value);  // without an exponent
  else
    std::snprintf(text, sizeof text, "%.*g", digits, value);
  return large ? text + power_of_ten(size) : text;
}

Judgement judgement_of(const Difference& difference) {
  if (difference.mean > 2 * difference.error()) return Judgement::kHigher;
  return difference.mean < -2 * difference.error() ? Judgement::kLower : Judgement::kUndecided;
}

bool OrderStep::comes_out() const {
  const Judgement judgement = judgement_of(difference);
  return judgement == Judgement::kHigher || (may_be_equal && judgement == Judgement::kUndecided);
}

std::vector<OrderStep> order_of(const Results& results, const std::string& recipe) {
  std::vector<const ResultRow*> rows;
  for (const ResultRow& row : results.rows)
    if (row.kind == RowKind::kNetwork && row.recipe == recipe) rows.push_back(&row);
  std::sort(rows.begin(), rows.end(),
            [](const ResultRow* a, const ResultRow* b) { return a->channels < b->channels; });
  if (const ResultRow* forest = forest_of_paper(results)) rows.insert(rows.begin(), forest);
  std::vector<OrderStep> steps;
  for (std::size_t i = 1; i < rows.size(); ++i)
    steps.push_back({rows[i - 1], rows[i], difference(rows[i - 1]->linear, rows[i]->linear),
                     rows[i - 1]->channels >= 100});
  return steps;
}

std::string order_text(const Results& results, const std::string& recipe, const std::string& called) {
  const std::vector<OrderStep> steps = order_of(results, recipe);
  if (steps.empty()) return "";
  std::string text;
  std::int64_t out = 0;
  for (const OrderStep& step : steps) {
    text += step_text(step);
    out += step.comes_out() ? 1 : 0;
  }
  const auto all = static_cast<std::int64_t>(steps.size());
  return concat("With ", called, " ",
                out == all ? concat("the order of the paper's Table 1 comes out", of_widths(steps))
                           : concat("the order of the paper's Table 1 does **not** come out: ", out, " of ",
                                    all, " steps do"),
                ".\n\n", text, "\n");
}

std::string first_table(const Results& results) {
  const ResultRow* network = results.best(RowKind::kNetwork);
  std::string text =
      "| best of its kind | model | χ² | minus the best network |\n| --- | --- | ---: | ---: |\n";
  std::vector<const ResultRow*> shown{network, results.best(RowKind::kBaseline),
                                      results.best(RowKind::kForest)};
  for (const ResultRow& row : results.rows)
    if (row.kind == RowKind::kOracle) shown.push_back(&row);
  std::string sentences;
  for (const ResultRow* row : shown) {
    if (row == nullptr) continue;
    const Difference by = difference(row->linear, network->linear);
    text += concat("| ", name_of(row->kind), " | ", row->label, " | ", chi2_text(row->linear), " | ",
                   row == network ? "" : with_error(by.mean, by.error()), " |\n");
    if (row != network) sentences += "- " + comparison(*network, *row);
  }
  return concat(text, "\n", sentences, "\n");
}

}  // namespace umbra
