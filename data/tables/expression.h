// Expressions of columns, as `import table --columns` and data.features have them: names, numbers, + - * / **, parentheses, log10 and sqrt,
// with the precedence of Python: -2**2 is -4, 2**3**2 is 512.
//
//   assignments = name "=" sum {"," name "=" sum}          term = unary {("*" | "/") unary}
//   sum  = term {("+" | "-") term}                         unary = ("+" | "-") unary | power
//   power = atom ["**" unary]
//   atom = number | name ["[" digits "]"] | ("log10" | "sqrt") "(" sum ")" | "(" sum ")"
//
// A name begins with a letter or '_' and may contain digits, '.' and '@'; any other name is written in double quotes.
// pos[0] is the first column of the two-dimensional dataset pos.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// A compiled expression.
class Expression {
 public:
  /// One step of a calculation on a stack of numbers.
  struct Step {
    /// What the step does.
    enum class Kind {
      kNumber,    ///< pushes a number
      kColumn,    ///< pushes the value of a column
      kNegate,    ///< replaces the last number a by -a
      kLog10,     ///< by its logarithm
      kSqrt,      ///< by its square root
      kAdd,       ///< replaces the last two numbers a, b by a + b
      kSubtract,  ///< by a - b
      kMultiply,  ///< by a b
      kDivide,    ///< by a / b
      kPower      ///< by a to the power of b
    };
    Kind kind;              ///< of this step
    double number = 0;      ///< of kNumber
    std::size_t index = 0;  ///< of kColumn: in names()
  };

  /// Names and steps, as the parser found them.
  Expression(std::string text, std::vector<std::string> names, std::vector<Step> steps);

  /// The expression as it was written.
  const std::string& text() const { return text_; }
  /// The columns it uses, each once.
  const std::vector<std::string>& names() const { return names_; }
  /// Whether it is a column alone.
  bool is_column() const;
  /// The value for every row, on all threads. `columns` are those of names(), of equal length.
  std::vector<double> evaluate(std::span<const std::span<const double>> columns, std::size_t rows) const;

 private:
  double value(std::span<const std::span<const double>> columns, std::size_t row,
               std::span<double> stack) const;

  std::string text_;
  std::vector<std::string> names_;
  std::vector<Step> steps_;
  std::size_t depth_ = 0;  // numbers on the stack at most
};

/// One `name=expression` of a list.
struct Assignment {
  std::string target;  ///< the name before '='
  Expression value;    ///< after it
};

/// Parses a list such as "x=X/1000,stellar_mass=10**logM". Throws Error, which begins with `where`, with the position
/// (from 1) of what is wrong, for anything else and for parentheses or operators nested too deeply.
std::vector<Assignment> parse_assignments(std::string_view text, std::string_view where);

/// Parses one expression. `outer`: the name of a function that the caller knows around a whole expression, for
/// messages; empty: none. Throws Error as parse_assignments() does.
Expression parse_expression(std::string_view text, std::string_view where, std::string_view outer = "");

}  // namespace umbra
