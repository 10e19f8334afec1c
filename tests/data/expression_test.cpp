// Expressions of `import table --columns`: values against C++'s own, precedence as in Python, and the position of mistakes.
#include "data/tables/expression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/tables/column_names.h"
#include "data/tables/units.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

// The value of an expression in which a = 2, b = 3 and pos[1] = 5.
double value(const std::string& text) {
  const std::vector<Assignment> all = parse_assignments("x=" + text, "--columns");
  EXPECT_EQ(all.size(), 1U);
  std::vector<std::vector<double>> columns;
  for (const std::string& name : all[0].value.names())
    columns.push_back({name == "a" ? 2.0 : name == "b" ? 3.0 : name == "pos[1]" ? 5.0 : 7.0});
  const std::vector<std::span<const double>> spans(columns.begin(), columns.end());
  return all[0].value.evaluate(spans, 1)[0];
}

TEST(Expression, HasThePrecedenceOfPython) {
  const std::pair<const char*, double> cases[] = {{"a+b*4", 14},
                                                  {"(a+b)*4", 20},
                                                  {"a-b-1", -2},
                                                  {"8/a/2", 2},
                                                  {"8/a*2", 8},
                                                  {"-a**2", -4},
                                                  {"(-a)**2", 4},
                                                  {"a**b**2", 512},
                                                  {"(a**b)**2", 64},
                                                  {"a**-1", 0.5},
                                                  {"-a**-2", -0.25},
                                                  {"2*-a", -4},
                                                  {"- -a", 2},
                                                  {"+a", 2},
                                                  {"a - -b", 5},
                                                  {" 1e3 * .5 ", 500},
                                                  {"5.", 5},
                                                  {"10**a", 100},
                                                  {"log10(10**b)", 3},
                                                  {"sqrt(a*8)", 4},
                                                  {"sqrt(pos[1]**2)", 5},
                                                  {"\"M star\" + log", 14},
                                                  {"a*b + a/b - b**a", 6 + 2.0 / 3 - 9}};
  for (const auto& [text, expected] : cases) EXPECT_DOUBLE_EQ(value(text), expected) << text;
}

TEST(Expression, ListsAreSplitAndColumnsAreNamedOnce) {
  const std::vector<Assignment> all =
      parse_assignments("x = X , y=Y*Y+X,stellar_mass=10**log.M@z", "--columns");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].target, "x");
  EXPECT_TRUE(all[0].value.is_column());
  EXPECT_EQ(all[0].value.text(), "X");
  EXPECT_EQ(all[1].value.names(), (std::vector<std::string>{"Y", "X"}));
  EXPECT_FALSE(all[1].value.is_column());
  EXPECT_EQ(all[2].value.names(), (std::vector<std::string>{"log.M@z"}));
}

TEST(Expression, EveryRowIsEvaluated) {
  const std::vector<Assignment> all = parse_assignments("x=a*2+b", "--columns");
  std::vector<double> a(40'000), b(40'000, 0.5);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<double>(i);
  const std::vector<std::span<const double>> spans{a, b};
  const std::vector<double> values = all[0].value.evaluate(spans, a.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(values[i], 2 * static_cast<double>(i) + 0.5) << i;
}

TEST(Expression, MistakesAreRefusedAtTheirPosition) {
  const auto wrong = [](const std::string& text, std::initializer_list<std::string> parts) {
    expect_message([&] { parse_assignments(text, "--columns"); }, parts);
  };
  wrong("", {"--columns, position 1", "the name of a column of a catalog", "the text ends"});
  wrong("x", {"position 2", "'=' is expected after 'x'"});
  wrong("x:X", {"position 2", "'=' is expected", "':X'"});
  wrong("x=", {"position 3", "a column, a number", "the text ends"});
  wrong("x=X,y=sin(Y)", {"position 7", "'sin' is not a function", "log10 and sqrt"});
  wrong("x=X y=Y", {"position 5", "an operator", "'y=Y'"});
  wrong("x=X^2", {"position 4", "an operator (+ - * / **)", "'^2'"});
  wrong("x=X%2", {"position 4", "'%2'"});
  wrong("x=(X", {"position 5", "')' is expected", "the text ends"});
  wrong("x=X)", {"position 4", "')'"});
  wrong("x=X,x=Y", {"position 5", "'x' is given a second time"});
  wrong("x=X,", {"position 5", "the name of a column"});
  wrong("x=1e999", {"position 3", "too large or too small"});
  wrong("x=0x10", {"position 4", "'x10'"});
  wrong("x=\"M star", {"position 3", "quote"});
  wrong("x=pos[i]", {"position 6", "pos[0]"});
  wrong("x=X;rm", {"position 4", "';rm'"});
  wrong("x=__import__('os')", {"position 3", "'__import__' is not a function"});
}

TEST(Expression, NestingHasALimit) {
  const auto nested = [](int depth) {
    const auto n = static_cast<std::size_t>(depth);
    return "x=" + std::string(n, '(') + "a" + std::string(n, ')');
  };
  EXPECT_EQ(parse_assignments(nested(60), "--columns").size(), 1U);
  for (const std::string& text :
       {nested(100), nested(1'000'000), "x=" + std::string(1'000'000, '-') + "a", [] {
          std::string powers = "x=a";
          for (int i = 0; i < 100'000; ++i) powers += "**a";
          return powers;
        }()})
    expect_message([&] { parse_assignments(text, "--columns"); }, {"position", "more than 64 levels"});
}

TEST(Units, AreReadInTheSpellingsOfFiles) {
  const auto change = [](const char* from, const char* to, std::optional<double> h = {}) {
    return unit_change(from, to, h, "x", "here").factor;
  };
  for (const char* unit : {"kpc/h", "ckpc/h", "kpc h^-1", "h^-1 kpc", "h-1kpc", "kpc h-1", "kpc / h",
                           "h^{-1} kpc", "kpc*h**-1", "(kpc/h)", "KPC/H", "kpc / littleh"})
    EXPECT_DOUBLE_EQ(change(unit, "Mpc/h"), 1e-3) << unit;
  for (const char* unit :
       {"1e10 Msun/h", "10^10 Msun/h", "1e10Msun h^-1", "1e10 M_sun/h", "10**10 solMass / h"})
    EXPECT_DOUBLE_EQ(change(unit, "Msun/h"), 1e10) << unit;
  for (const char* unit : {"km/s", "km s^-1", "km s-1", "km.s-1", "kms-1"})
    EXPECT_EQ(change(unit, "km/s"), 1) << unit;
  EXPECT_DOUBLE_EQ(change("m/s", "km/s"), 1e-3);
  EXPECT_DOUBLE_EQ(change("Msun/Gyr", "Msun/yr"), 1e-9);
  EXPECT_EQ(change("", "1"), 1);
  EXPECT_DOUBLE_EQ(change("Mpc", "Mpc/h", 0.7), 0.7);    // 10 Mpc are 7 Mpc/h
  EXPECT_DOUBLE_EQ(change("Msun", "Msun/h", 0.7), 0.7);  // 1 Msun is 0.7 Msun/h
  EXPECT_DOUBLE_EQ(change("Msun/h", "Msun", 0.7), 1 / 0.7);
  for (const char* unit : {"log10(Msun)", "log10 Msun", "dex(Msun)", "log Msun"}) {
    const UnitChange log = unit_change(unit, "Msun", {}, "stellar_mass", "here");
    EXPECT_TRUE(log.is_logarithm) << unit;
    EXPECT_DOUBLE_EQ(log(10.5), std::pow(10.0, 10.5)) << unit;
  }
}

TEST(Units, ThatAreWrongAreRefused) {
  const auto wrong = [](const char* from, const char* to, std::initializer_list<std::string> parts) {
    expect_message([&] { unit_change(from, to, {}, "x", "file 'a.csv'"); }, parts);
  };
  wrong("furlong", "Mpc/h", {"file 'a.csv'", "'furlong'", "not known", "--units x=Mpc/h"});
  wrong("km/s", "Mpc/h", {"'km/s'", "of another kind"});
  wrong("Msun", "Msun/h", {"x is in Msun", "a catalog has Msun/h", "--h 0.7"});
  for (const char* unit : {"/", "kpc/", "//h", "kpc^", "kpc^^2", "nan", "inf Mpc", "-1 Mpc",
                           "kpc^999999999999", "log10(", "M\xe2\x98\x89"})
    EXPECT_FALSE(parse_unit(unit).has_value()) << unit;
}

TEST(ColumnNames, AreFoundWithoutRegardToCase) {
  const std::vector<std::string> names = {"X", "y", "Vpeak", "logM", "MVIR", "Mvir"};
  EXPECT_EQ(find_name(names, "vpeak", "here"), 2U);
  EXPECT_EQ(find_name(names, "Mvir", "here"), 5U);  // the same letters come first
  EXPECT_FALSE(find_name(names, "spin", "here").has_value());
  expect_message([&] { find_name(names, "mvir", "here"); }, {"here", "'MVIR'", "'Mvir'", "'mvir'"});
}

TEST(ColumnNames, TheClosestIsNamed) {
  const std::vector<std::string> names = {"pos_x", "V_peak", "log_mstar", "stellarmass", "halo_spin"};
  EXPECT_EQ(closest_hint(names, "vpeak"), "; did you mean 'V_peak'?");
  EXPECT_EQ(closest_hint(names, "vpaek"), "; did you mean 'V_peak'?");
  EXPECT_EQ(closest_hint(names, "stellar_mass"), "; did you mean 'stellarmass'?");
  EXPECT_EQ(closest_hint(names, "spin"), "; did you mean 'halo_spin'?");
  EXPECT_EQ(closest_hint(names, "sfr"), "");
  EXPECT_EQ(closest_hint(std::vector<std::string>{"y", "mvir"}, "mivr"), "; did you mean 'mvir'?");
  EXPECT_EQ(closest_hint(std::vector<std::string>{"y", "mvir"}, "x"), "");
}

}  // namespace
}  // namespace umbra
