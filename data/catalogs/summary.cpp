#include "data/catalogs/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace umbra {
namespace {

constexpr double kVpeak = 150.0;  // km/s
constexpr double kFirstEdge = 10.2, kWidth = 0.1;
constexpr std::size_t kBins = 14;

std::string number(double value, const char* format = "%.2f") {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string velocity_lines(const Catalog& catalog) {
  std::vector<std::int64_t> halos(static_cast<std::size_t>(catalog.boxes), 0);
  const auto vpeak = catalog.column("vpeak");
  std::int64_t total = 0;
  for (std::size_t row = 0; row < vpeak.size(); ++row) {
    if (vpeak[row] < kVpeak) continue;
    ++total;
    ++halos[catalog.has("box") ? static_cast<std::size_t>(catalog.integer_column("box")[row]) : 0];
  }
  const auto empty = std::count(halos.begin(), halos.end(), 0);
  return "vpeak >= 150 km/s: " + std::to_string(total) + " halos, " +
         number(static_cast<double>(total) / static_cast<double>(catalog.boxes)) +
         " per cube; cubes without any: " + std::to_string(empty) + "\n";
}

std::string mass_lines(const Catalog& catalog) {
  std::array<std::int64_t, kBins> counts{};
  for (const double mass : catalog.column("stellar_mass")) {
    if (!(mass > 0)) continue;
    const double bin = std::floor((std::log10(mass) - kFirstEdge) / kWidth);
    if (bin >= 0 && bin < static_cast<double>(kBins)) ++counts[static_cast<std::size_t>(bin)];
  }
  std::string text = "galaxies per cube in bins of 0.1 dex from log10 M*/Msun = 10.2:";
  for (const std::int64_t count : counts)
    text += " " + number(static_cast<double>(count) / static_cast<double>(catalog.boxes));
  return text + "\n";
}

}  // namespace

std::string summary(const Catalog& catalog) {
  std::string text = std::to_string(catalog.boxes) + (catalog.boxes == 1 ? " cube of " : " cubes of ") +
                     number(catalog.box_size, "%g") + " Mpc/h, " + std::to_string(catalog.rows()) +
                     " rows\ncolumns:";
  for (const ColumnKind& kind : column_kinds())
    if (catalog.has(kind.name)) text += " " + std::string(kind.name);
  text += "\n";
  if (catalog.has("vpeak")) text += velocity_lines(catalog);
  if (catalog.has("stellar_mass")) text += mass_lines(catalog);
  return text;
}

}  // namespace umbra
