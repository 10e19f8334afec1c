#include "data/boxes/features.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "engine/base/error.h"
#include "engine/base/nearest.h"
#include "engine/cpu/cholesky.h"

namespace umbra {
namespace {

constexpr std::string_view kResidual = "residual", kOccupancy = "occupancy", kCount = "count",
                           kNeighbours = "neighbours";

bool is_number_column(std::string_view name) {
  const auto kinds = column_kinds();
  return name == kSatellite || std::any_of(kinds.begin(), kinds.end(), [&](const ColumnKind& kind) {
           return kind.name == name && kind.check != ColumnKind::Check::kInteger;
         });
}

void check_names(const Feature& feature, const std::string& where) {
  for (const std::string& name : feature.value.names()) {
    if (is_number_column(name)) continue;
    require(name != kOccupancy && name != kCount, where, ": '", name,
            "' is a feature of its own and not part of an expression");
    std::vector<std::string> known{std::string(kSatellite), std::string(kOccupancy), std::string(kCount)};
    std::string list;
    for (const ColumnKind& kind : column_kinds()) {
      if (kind.check == ColumnKind::Check::kInteger) continue;
      known.emplace_back(kind.name);
      list += concat(" ", kind.name);
    }
    const std::string nearest = did_you_mean(nearest_word(name, known));
    fail(where, ": there is no column '", name, "'", nearest,
         nearest.empty() ? "; the columns are:" : " The columns are:", list, " ", kSatellite,
         "; occupancy and count are features, too");
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr const char* kBlanks = " \t";
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// The text between the parentheses of function(...), or nothing.
std::optional<std::string_view> inside(std::string_view function, std::string_view text) {
  if (!text.starts_with(function)) return std::nullopt;
  const std::string_view rest = trimmed(text.substr(function.size()));
  if (!rest.starts_with('(') || !rest.ends_with(')')) return std::nullopt;
  int depth = 0;  // the last parenthesis must close the first
  for (std::size_t i = 0; i < rest.size(); ++i) {
    depth += rest[i] == '(' ? 1 : rest[i] == ')' ? -1 : 0;
    if (depth == 0 && i + 1 < rest.size()) return std::nullopt;
  }
  return rest.substr(1, rest.size() - 2);
}

Feature parse_neighbours(std::string_view text, const std::string& where) {
  double radius = 0;
  const std::string_view number = trimmed(text);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), radius);
  require(error == std::errc() && end == number.data() + number.size() && radius > 0 && std::isfinite(radius),
          where, ": neighbours takes a radius in Mpc/h, such as neighbours(2), but it is given '", text, "'");
  return {Feature::Kind::kNeighbours, parse_expression("1", where), radius};
}

std::vector<double> satellites(const Catalog& catalog) {
  const auto upid = catalog.integer_column("upid");
  std::vector<double> values(upid.size());
  std::transform(upid.begin(), upid.end(), values.begin(), [](std::int64_t id) { return id == -1 ? 0 : 1; });
  return values;
}

// Weighted least squares with the basis 1, w, w^2.
std::array<double, 3> least_squares(std::span<const double> w, std::span<const double> y,
                                    std::span<const double> weights) {
  constexpr double kDetermined = 1e-9;  // of a pivot; below, the points do not determine the coefficient
  Matrix a(3, std::vector<double>(3, 0.0)), b(3, std::vector<double>(1, 0.0));
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double basis[3] = {1, w[i], w[i] * w[i]};
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k <= j; ++k) a[j][k] += weights[i] * basis[j] * basis[k];
      b[j][0] += weights[i] * basis[j] * y[i];
    }
  }
  const Matrix c = Cholesky(std::move(a), kDetermined).solve(std::move(b));
  return {c[0][0], c[1][0], c[2][0]};
}

double reference_at(std::span<const double> c, double w) {
  return c[0] + w * (c[1] + w * c[2]);
}

}  // namespace

Feature parse_feature(const std::string& text, const std::string& where) {
  using Kind = Feature::Kind;
  const std::string_view whole = trimmed(text);
  if (whole == kOccupancy) return {Kind::kMean, parse_expression("1", where)};
  if (whole == kCount) return {Kind::kCount, parse_expression("1", where)};
  if (const auto radius = inside(kNeighbours, whole)) return parse_neighbours(*radius, where);
  const std::string function(trimmed(whole.substr(0, std::min(whole.find('('), whole.size()))));
  require(nearest_word(function, {std::string(kNeighbours)}).empty(), where, ": '", whole,
          "' is not a feature; did you mean 'neighbours(2)', in lists of halos?");
  const auto quantity = inside(kResidual, whole);
  Feature feature{quantity ? Kind::kResidual : Kind::kMean,
                  parse_expression(quantity ? *quantity : whole, where, kResidual)};
  check_names(feature, where);
  require(!feature.value.names().empty(), where, ": a column is expected, not a number alone");
  require(!quantity || !trimmed(*quantity).starts_with("log10"), where,
          ": residual takes the logarithm itself; residual(mvir) is expected, not residual(log10(mvir))");
  return feature;
}

std::size_t reference_numbers(std::span<const Feature> features) {
  const auto residuals = std::count_if(features.begin(), features.end(), [](const Feature& feature) {
    return feature.kind == Feature::Kind::kResidual;
  });
  return kReferenceNumbers * static_cast<std::size_t>(residuals);
}

std::set<std::string> columns_of(std::span<const Feature> features) {
  std::set<std::string> columns;
  for (const Feature& feature : features)
    for (const std::string& name : feature.value.names()) columns.insert(name == kSatellite ? "upid" : name);
  return columns;
}

void check_columns_of(const Feature& feature, const Catalog& catalog) {
  for (const std::string& name : feature.value.names())
    if (name == kSatellite)
      catalog.integer_column("upid");
    else
      catalog.column(name);
}

std::vector<double> halo_values(const Feature& feature, const Catalog& catalog,
                                std::span<const double> reference) {
  const auto rows = static_cast<std::size_t>(catalog.rows());
  std::vector<double> satellite;
  std::vector<std::span<const double>> columns;
  for (const std::string& name : feature.value.names()) {
    if (name == kSatellite) satellite = satellites(catalog);
    columns.push_back(name == kSatellite ? satellite : catalog.column(name));
  }
  std::vector<double> values = feature.value.evaluate(columns, rows);
  if (feature.kind != Feature::Kind::kResidual) return values;
  const auto vpeak = catalog.column("vpeak");
  for (std::size_t row = 0; row < rows; ++row)
    values[row] = std::log10(values[row]) - reference_at(reference, std::log10(vpeak[row] / kReferenceVpeak));
  return values;
}

std::string halo_text(const Feature& feature, const Catalog& catalog, std::size_t row) {
  std::string text;
  for (const std::string& name : feature.value.names())
    if (name != kSatellite) text += concat(text.empty() ? "" : ", ", name, " ", catalog.column(name)[row]);
  return text;
}

std::vector<double> fit_reference(std::span<const double> w, std::span<const double> y) {
  constexpr int kIterations = 30;
  constexpr double kHuber = 1.345;    // 95 % efficient for a normal distribution
  constexpr double kNormal = 1.4826;  // deviation over median of the absolute value, normal distribution
  std::vector<double> weights(w.size(), 1), distance(w.size());
  std::array<double, 3> c = least_squares(w, y, weights);
  for (int iteration = 0; iteration < kIterations && !w.empty(); ++iteration) {
    for (std::size_t i = 0; i < w.size(); ++i) distance[i] = std::abs(y[i] - reference_at(c, w[i]));
    std::vector<double> sorted = distance;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    const double limit = kHuber * kNormal * *middle;
    if (!(limit > 0)) break;  // most points lie on the curve
    for (std::size_t i = 0; i < w.size(); ++i) weights[i] = distance[i] > limit ? limit / distance[i] : 1;
    c = least_squares(w, y, weights);
  }
  return {c.begin(), c.end()};
}

}  // namespace umbra
