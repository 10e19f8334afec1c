// The rows that random forests are timed on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra {

inline constexpr std::size_t kHaloColumns = 8;

struct Halos {
  std::vector<std::vector<float>> columns;
  std::vector<float> target;
};

// Halos similar to those of a catalog: velocities distributed as V^-3, masses and accretion values that
// follow them, spin, half-mass scale, satellites; log10 M* is a curved function of velocity with a scatter of
// 0.2 dex.
inline Halos draw_halos(std::int64_t rows) {
  Halos h{std::vector<std::vector<float>>(kHaloColumns, std::vector<float>(static_cast<std::size_t>(rows))),
          std::vector<float>(static_cast<std::size_t>(rows))};
  const Rng rng(1, Purpose::kTest);
  parallel_chunks(rows, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto row = static_cast<std::size_t>(i);
      const std::uint64_t draw = 16 * static_cast<std::uint64_t>(i);
      const auto set = [&](std::size_t f, double value) { h.columns[f][row] = static_cast<float>(value); };
      const double v = 2.176 - std::log10(1 - rng.uniform(draw)) / 3;  // log10 Vpeak from 150 km/s
      const double m = 12 + 3 * (v - 2.2) + 0.1 * rng.normal(draw + 1);
      const bool satellite = rng.uniform(draw + 2) < 0.2;
      const double lost = satellite ? 0.15 * rng.uniform(draw + 3) : 0;
      set(0, std::pow(10, v));
      set(1, std::pow(10, v - 0.02 * std::abs(rng.normal(draw + 4))));
      set(2, std::pow(10, m));
      set(3, std::pow(10, m - 0.03 * std::abs(rng.normal(draw + 5))));
      set(4, std::pow(10, m - lost - 0.01 * std::abs(rng.normal(draw + 6))));
      set(5, 0.035 * std::exp(0.5 * rng.normal(draw + 7)));
      set(6, 0.5 + 0.1 * rng.normal(draw + 8));
      set(7, satellite ? 1 : 0);
      const double mean =
          8 + 3.6 / (1 + std::pow(10, 4 * (2.4 - v))) + 0.4 * std::max(0.0, v - 2.6) + (satellite ? 0.1 : 0);
      h.target[row] = static_cast<float>(mean + 0.3 * (h.columns[6][row] - 0.5) + 0.2 * rng.normal(draw + 9));
    }
  });
  return h;
}

}  // namespace umbra
