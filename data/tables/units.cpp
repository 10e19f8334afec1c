#include "data/tables/units.h"

#include <charconv>
#include <cmath>

#include "engine/base/error.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

constexpr double kMetresPerMpc = 3.0856775814913673e22, kSecondsPerYear = 3.15576e7;

struct Atom {
  std::string_view name;  // in lower case
  ColumnUnit unit;
};

// Comoving lengths may begin with c. "h" is also written "littleh" (astropy).
constexpr Atom kAtoms[] = {
    {"mpc", {1, 1}},
    {"kpc", {1e-3, 1}},
    {"gpc", {1e3, 1}},
    {"pc", {1e-6, 1}},
    {"cmpc", {1, 1}},
    {"ckpc", {1e-3, 1}},
    {"cgpc", {1e3, 1}},
    {"km", {1e3 / kMetresPerMpc, 1}},
    {"cm", {1e-2 / kMetresPerMpc, 1}},
    {"m", {1 / kMetresPerMpc, 1}},
    {"msun", {1, 0, 1}},
    {"m_sun", {1, 0, 1}},
    {"msol", {1, 0, 1}},
    {"m_odot", {1, 0, 1}},
    {"solmass", {1, 0, 1}},
    {"solarmass", {1, 0, 1}},
    {"yr", {1, 0, 0, 1}},
    {"year", {1, 0, 0, 1}},
    {"myr", {1e6, 0, 0, 1}},
    {"gyr", {1e9, 0, 0, 1}},
    {"sec", {1 / kSecondsPerYear, 0, 0, 1}},
    {"s", {1 / kSecondsPerYear, 0, 0, 1}},
    {"littleh", {1, 0, 0, 0, 1}},
    {"h", {1, 0, 0, 0, 1}},
};

// Lower case without blanks at the ends, "**" as "^", and without braces and signs of TeX.
std::string plain_unit(std::string_view text) {
  std::string plain;
  for (const char c : lower_case(text)) {
    if (c == '*' && plain.ends_with('*')) {
      plain.back() = '^';
      continue;
    }
    if (c != '{' && c != '}' && c != '$' && c != '\\') plain += c == '\t' ? ' ' : c;
  }
  while (plain.ends_with(' ')) plain.pop_back();
  plain.erase(0, std::min(plain.find_first_not_of(' '), plain.size()));
  return plain;
}

// Removes parentheses around the whole text.
std::string_view without_parentheses(std::string_view text) {
  while (text.starts_with('(') && text.find(')') == text.size() - 1) text = text.substr(1, text.size() - 2);
  return text;
}

// A product such as "1e10 msun/h" or "h-1mpc".
class UnitReader {
 public:
  explicit UnitReader(std::string_view text) : rest_(text) {}

  std::optional<ColumnUnit> read() {
    bool divides = false;
    for (skip(" *."); !rest_.empty(); skip(" *.")) {
      if (rest_.front() == '/') {
        if (divides) return std::nullopt;
        divides = true;
        rest_.remove_prefix(1);
        continue;
      }
      if (!factor(divides ? -1 : 1)) return std::nullopt;
      divides = false;
    }
    return divides ? std::nullopt : std::optional(unit_);
  }

 private:
  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }
  bool factor(int sign) {
    double number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error == std::errc() && number > 0 && rest_.front() != 'i' && rest_.front() != 'n') {
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      const int power = exponent(false);
      unit_.factor *= std::pow(number, power * sign);
      return power != 0;
    }
    const Atom* longest = nullptr;
    for (const Atom& atom : kAtoms)
      if (rest_.starts_with(atom.name) && (!longest || atom.name.size() > longest->name.size()))
        longest = &atom;
    if (longest == nullptr) return false;
    rest_.remove_prefix(longest->name.size());
    const int power = exponent(true) * sign;
    const ColumnUnit& unit = longest->unit;
    unit_.factor *= std::pow(unit.factor, power);
    unit_.length += unit.length * power;
    unit_.mass += unit.mass * power;
    unit_.time += unit.time * power;
    unit_.hubble += unit.hubble * power;
    return power != 0;
  }
  // "^-1", "^2" and, after a letter, "-1"; 1 where there is none, 0 where it is wrong, such as "^10.5".
  int exponent(bool without_sign) {
    std::string_view text = rest_;
    const bool marked = text.starts_with('^');
    if (marked) text.remove_prefix(1);
    if (!marked && !(without_sign && (text.starts_with('-') || text.starts_with('+')))) return 1;
    if (text.starts_with('+')) text.remove_prefix(1);
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value < -99 || value > 99) return 0;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    const bool has_fraction = rest_.size() > 1 && rest_[0] == '.' && rest_[1] >= '0' && rest_[1] <= '9';
    return has_fraction ? 0 : value;
  }

  std::string_view rest_;
  ColumnUnit unit_;
};

}  // namespace

std::optional<ColumnUnit> parse_unit(std::string_view text) {
  const std::string plain = plain_unit(text);
  std::string_view rest = plain;
  bool logarithm = false;
  for (const std::string_view start : {"log10", "log", "lg", "dex"}) {
    if (!rest.starts_with(start)) continue;
    rest.remove_prefix(start.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    logarithm = true;
    break;
  }
  rest = without_parentheses(rest);
  if (!logarithm)
    for (const std::string_view none : {"", "1", "none", "dimensionless", "unitless", "-"})
      if (rest == none) return ColumnUnit{};
  std::optional<ColumnUnit> unit = UnitReader(rest).read();
  if (unit) unit->is_logarithm = logarithm;
  return unit;
}

double UnitChange::operator()(double number) const {
  return factor * (is_logarithm ? std::pow(10.0, number) : number);
}

UnitChange unit_change(std::string_view from, std::string_view to, std::optional<double> h,
                       std::string_view column, std::string_view where) {
  const std::optional<ColumnUnit> unit = parse_unit(from), ours = parse_unit(to);
  require(ours.has_value(), where, ": the unit '", to, "' is not known");
  const auto wrong = [&](std::string_view problem) {
    fail(where, ": the unit of ", column, " is '", from, "', ", problem, "; units such as ", to,
         to.starts_with("Mpc")    ? " or kpc/h"
         : to.starts_with("Msun") ? ", 1e10 Msun/h or log10(Msun)"
                                  : "",
         " are expected (--units ", column, "=", to, ")");
  };
  if (!unit) wrong("which is not known");
  if (unit->length != ours->length || unit->mass != ours->mass || unit->time != ours->time)
    wrong("which is of another kind");
  const int powers = unit->hubble - ours->hubble;
  require(powers == 0 || h.has_value(), where, ": ", column, " is in ", from, ", a catalog has ", to,
          ", and the file does not contain h; give it, e.g. --h 0.7");
  UnitChange change;
  change.factor = unit->factor / ours->factor * (powers == 0 ? 1 : std::pow(*h, powers));
  // Factors such as (1e3 m/Mpc) / (1e3 m/Mpc) are 1, whatever they round to.
  if (std::abs(change.factor - 1) < 1e-14) change.factor = 1;
  change.is_logarithm = unit->is_logarithm;
  return change;
}

}  // namespace umbra
