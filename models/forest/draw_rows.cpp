// Bootstrap samples as counts per row.
#include <algorithm>
#include <array>
#include <limits>

#include "engine/base/philox.h"
#include "models/forest/forest.h"

namespace umbra {
namespace {

constexpr std::uint8_t kMostDraws = 15;  // of one row; more have a probability below 1e-14

constexpr std::uint64_t kReplacements = std::uint64_t{1} << 40;  // indices behind those of all draws

void draw(std::span<std::uint8_t> counts, std::size_t row) {
  if (counts[row] < kMostDraws) ++counts[row];
}

// n draws from n rows, four per block of random words. Words that would favour some rows are replaced (Lemire
// 2019).
void draw_multinomial(const Rng& rng, std::span<const std::uint32_t> rows, std::span<std::uint8_t> counts) {
  const auto n = static_cast<std::uint32_t>(rows.size());
  const std::uint32_t unfair = (0u - n) % n;
  const auto pick = [&](std::uint32_t row) { draw(counts, rows[row]); };
  for (std::uint64_t i = 0; i < n; i += 4) {
    const Philox4 words = rng.words(i / 4);
    for (std::uint64_t k = 0; k < 4 && i + k < n; ++k) {
      const std::uint64_t product = std::uint64_t{words[k]} * n;
      if (static_cast<std::uint32_t>(product) >= unfair) {
        pick(static_cast<std::uint32_t>(product >> 32));
      } else {
        pick(static_cast<std::uint32_t>(rng.below(kReplacements + i + k, n)));
      }
    }
  }
}

// Inverse of the distribution function of Poisson(1), in words of 32 bits.
void draw_poisson(const Rng& rng, std::span<const std::uint32_t> rows, std::span<std::uint8_t> counts) {
  std::array<std::uint32_t, 13> limits{};
  long double probability = 0.36787944117144232159552377016146L, sum = 0;
  for (std::size_t k = 0; k < limits.size(); ++k) {
    sum += probability;
    limits[k] = static_cast<std::uint32_t>(std::min<long double>(sum * 0x1p32L, 0x1p32L - 1));
    probability /= static_cast<long double>(k + 1);
  }
  for (std::size_t i = 0; i < rows.size(); i += 4) {
    const Philox4 words = rng.words(i / 4);
    for (std::size_t k = 0; k < 4 && i + k < rows.size(); ++k) {
      std::uint8_t count = 0;
      while (count < limits.size() && words[k] >= limits[count]) ++count;
      counts[rows[i + k]] = count;
    }
  }
}

}  // namespace

void draw_rows(const ForestOptions& options, std::int64_t tree, std::span<const std::uint8_t> mask,
               std::span<std::uint8_t> counts) {
  std::fill(counts.begin(), counts.end(), std::uint8_t{0});
  const Rng rng(options.seed, Purpose::kForestRows, static_cast<std::uint64_t>(tree));
  if (options.bootstrap == ForestOptions::Bootstrap::kNone) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = mask.empty() || mask[i] != 0 ? 1 : 0;
    return;
  }
  std::vector<std::uint32_t> rows;
  rows.reserve(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (mask.empty() || mask[i] != 0) rows.push_back(static_cast<std::uint32_t>(i));
  }
  if (rows.empty()) return;
  if (options.bootstrap == ForestOptions::Bootstrap::kMultinomial) return draw_multinomial(rng, rows, counts);
  draw_poisson(rng, rows, counts);
  if (std::all_of(counts.begin(), counts.end(), [](std::uint8_t c) { return c == 0; })) counts[rows[0]] = 1;
}

}  // namespace umbra
