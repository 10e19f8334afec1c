#include "data/catalogs/formats.h"

namespace umbra {
namespace {

template <class T>
void keep_rows(std::vector<T>& values, const std::vector<char>& keep) {
  std::size_t to = 0;
  for (std::size_t row = 0; row < values.size(); ++row)
    if (keep[row]) values[to++] = values[row];
  values.resize(to);
}

}  // namespace

void apply_cuts(Catalog& catalog, const ImportOptions& options) {
  std::vector<char> keep(static_cast<std::size_t>(catalog.rows()), 0);
  const auto reach = [&](const char* column, double minimum) {
    if (!catalog.has(column)) return;
    const auto values = catalog.column(column);
    for (std::size_t row = 0; row < values.size(); ++row) keep[row] = keep[row] || values[row] >= minimum;
  };
  if (options.min_vpeak <= 0 && options.min_stellar_mass <= 0) return;
  if (options.min_vpeak > 0) reach("vpeak", options.min_vpeak);
  if (options.min_stellar_mass > 0) reach("stellar_mass", options.min_stellar_mass);
  for (auto& [name, values] : catalog.columns) keep_rows(values, keep);
  for (auto& [name, values] : catalog.integers) keep_rows(values, keep);
}

}  // namespace umbra
