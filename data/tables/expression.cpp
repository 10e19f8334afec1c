#include "data/tables/expression.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/error.h"
#include "engine/base/nearest.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

using Step = Expression::Step;
using Kind = Step::Kind;

constexpr int kDeepest = 64;  // parentheses and operators inside one another

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 128;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_number_start(char c, char next) {
  return is_digit(c) || (c == '.' && is_digit(next));
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view where, std::string_view outer)
      : text_(text), where_(where), outer_(outer) {}

  Expression whole() {
    Expression all = expression();
    if (at_ < text_.size()) fail_here("an operator (+ - * / **) is expected");
    return all;
  }

  std::vector<Assignment> assignments() {
    std::vector<Assignment> all;
    do {
      skip_blanks();
      const std::size_t begin = at_;
      const std::string target = name("the name of a column of a catalog is expected");
      if (!take("=")) fail_here(concat("'=' is expected after '", target, "'"));
      for (const Assignment& other : all)
        if (other.target == target) fail_at(begin, concat("'", target, "' is given a second time"));
      all.push_back({target, expression()});
    } while (take(","));
    if (at_ < text_.size()) fail_here("an operator (+ - * / **) or ',' is expected");
    return all;
  }

 private:
  // Counts how deeply the parser is nested, so that no text exhausts the stack.
  class Deeper {
   public:
    explicit Deeper(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kDeepest)
        parser_.fail_here(concat("more than ", kDeepest, " levels of parentheses and operators"));
    }
    ~Deeper() { --parser_.depth_; }

   private:
    Parser& parser_;
  };

  Expression expression() {
    names_.clear();
    steps_.clear();
    skip_blanks();
    const std::size_t begin = at_;
    sum();
    std::string_view text = text_.substr(begin, at_ - begin);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return {std::string(text), names_, steps_};
  }

  void sum() {
    term();
    for (;;) {
      if (take("+"))
        term(), add(Kind::kAdd);
      else if (take("-"))
        term(), add(Kind::kSubtract);
      else
        return;
    }
  }
  void term() {
    unary();
    for (;;) {
      if (take("/"))
        unary(), add(Kind::kDivide);
      else if (!is_next("**") && take("*"))
        unary(), add(Kind::kMultiply);
      else
        return;
    }
  }
  void unary() {
    const Deeper deeper(*this);
    if (take("-"))
      unary(), add(Kind::kNegate);
    else if (take("+"))
      unary();
    else
      power();
  }
  void power() {
    atom();
    if (take("**")) unary(), add(Kind::kPower);
  }
  void atom() {
    if (take("(")) return inside();
    skip_blanks();
    if (at_ < text_.size() && is_number_start(text_[at_], at_ + 1 < text_.size() ? text_[at_ + 1] : ' '))
      return number();
    const std::size_t begin = at_;
    const std::string column = name("a column, a number, '(', log10 or sqrt is expected");
    if (take("(")) {
      if (column != "log10" && column != "sqrt") fail_function(begin, column);
      inside();
      return add(column == "sqrt" ? Kind::kSqrt : Kind::kLog10);
    }
    const auto found = std::find(names_.begin(), names_.end(), column);
    steps_.push_back({Kind::kColumn, 0, static_cast<std::size_t>(found - names_.begin())});
    if (found == names_.end()) names_.push_back(column);
  }
  void inside() {
    sum();
    if (!take(")")) fail_here("an operator (+ - * / **) or ')' is expected");
  }
  void number() {
    double value = 0;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, value);
    if (error != std::errc()) fail_here("the number is too large or too small");
    at_ = static_cast<std::size_t>(stop - text_.data());
    steps_.push_back({Kind::kNumber, value, 0});
  }
  std::string name(const std::string& expected) {
    skip_blanks();
    const std::size_t begin = at_;
    std::string text;
    if (at_ < text_.size() && text_[at_] == '"') {
      const std::size_t end = text_.find('"', at_ + 1);
      if (end == std::string_view::npos) fail_here("a quote is opened and not closed");
      text = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    } else {
      while (at_ < text_.size() && (is_letter(text_[at_]) || (at_ > begin && is_inner(text_[at_])))) ++at_;
      if (at_ == begin) fail_here(expected);
      text = text_.substr(begin, at_ - begin);
    }
    if (at_ >= text_.size() || text_[at_] != '[') return text;
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end == at_ + 1 || end >= text_.size() || text_[end] != ']')
      fail_here(concat("after '", text, "' a number in brackets is expected, as in ", text, "[0]"));
    text += text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    return text;
  }
  [[noreturn]] void fail_function(std::size_t begin, const std::string& name) const {
    if (outer_.empty()) fail_at(begin, concat("'", name, "' is not a function; there are log10 and sqrt"));
    if (name == outer_) fail_at(begin, concat("'", name, "(…)' cannot be a part of an expression"));
    fail_at(begin, concat("'", name, "' is not a function; there are log10, sqrt and ", outer_,
                          did_you_mean(nearest_word(name, {"log10", "sqrt", std::string(outer_)}))));
  }
  static bool is_inner(char c) { return is_digit(c) || c == '.' || c == '@'; }

  void add(Kind kind) { steps_.push_back({kind, 0, 0}); }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool is_next(std::string_view symbol) {
    skip_blanks();
    return text_.substr(at_).starts_with(symbol);
  }
  bool take(std::string_view symbol) {
    if (!is_next(symbol)) return false;
    at_ += symbol.size();
    return true;
  }
  [[noreturn]] void fail_here(const std::string& problem) {
    skip_blanks();
    fail_at(at_, problem);
  }
  [[noreturn]] void fail_at(std::size_t at, const std::string& problem) const {
    const std::string found =
        at < text_.size() ? concat(", but '", text_.substr(at, 12), "' was found") : ", but the text ends";
    fail(where_, ", position ", at + 1, ": ", problem,
         problem.find("expected") != std::string::npos ? found : "");
  }

  std::string_view text_, where_, outer_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<std::string> names_;
  std::vector<Step> steps_;
};

}  // namespace

Expression::Expression(std::string text, std::vector<std::string> names, std::vector<Step> steps)
    : text_(std::move(text)), names_(std::move(names)), steps_(std::move(steps)) {
  std::size_t depth = 0;
  for (const Step& step : steps_) {
    if (step.kind == Kind::kNumber || step.kind == Kind::kColumn)
      depth_ = std::max(depth_, ++depth);
    else if (step.kind >= Kind::kAdd)
      --depth;
  }
}

bool Expression::is_column() const {
  return steps_.size() == 1 && steps_[0].kind == Kind::kColumn;
}

double Expression::value(std::span<const std::span<const double>> columns, std::size_t row,
                         std::span<double> stack) const {
  std::size_t count = 0;  // numbers on the stack
  for (const Step& step : steps_) {
    if (step.kind >= Kind::kAdd) --count;
    double& last = stack[step.kind < Kind::kNegate ? count : count - 1];
    switch (step.kind) {
      case Kind::kNumber:
        last = step.number;
        ++count;
        break;
      case Kind::kColumn:
        last = columns[step.index][row];
        ++count;
        break;
      case Kind::kNegate:
        last = -last;
        break;
      case Kind::kLog10:
        last = std::log10(last);
        break;
      case Kind::kSqrt:
        last = std::sqrt(last);
        break;
      case Kind::kAdd:
        last += stack[count];
        break;
      case Kind::kSubtract:
        last -= stack[count];
        break;
      case Kind::kMultiply:
        last *= stack[count];
        break;
      case Kind::kDivide:
        last /= stack[count];
        break;
      case Kind::kPower:
        last = std::pow(last, stack[count]);
        break;
    }
  }
  return stack[0];
}

std::vector<double> Expression::evaluate(std::span<const std::span<const double>> columns,
                                         std::size_t rows) const {
  if (is_column()) return {columns[0].begin(), columns[0].end()};
  constexpr std::int64_t kGrain = 1 << 14;
  std::vector<double> values(rows);
  parallel_chunks(static_cast<std::int64_t>(rows), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> stack(depth_);
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row)
      values[row] = value(columns, row, stack);
  });
  return values;
}

std::vector<Assignment> parse_assignments(std::string_view text, std::string_view where) {
  return Parser(text, where, "").assignments();
}

Expression parse_expression(std::string_view text, std::string_view where, std::string_view outer) {
  return Parser(text, where, outer).whole();
}

}  // namespace umbra
