// Bootstrap samples as counts per row.
#include <algorithm>
#include <array>

#include "models/forest/draw_words.h"
#include "models/forest/forest.h"

namespace umbra {
namespace {

constexpr std::uint8_t kMostDraws = 15;  // of one row; more have a probability below 1e-14

constexpr std::uint64_t kReplacements = std::uint64_t{1} << 40;  // indices after those of all draws

// As many draws as there are counts, four per block of random words. Words that would favour some rows are
// replaced (Lemire 2019).
void draw_multinomial(const Rng& rng, std::span<std::uint8_t> counts) {
  const auto n = static_cast<std::uint32_t>(counts.size());
  const std::uint32_t unfair = (0u - n) % n;
  WordBlocks words;
  for (std::uint64_t begin = 0; begin < n; begin += 4 * kWordBlocks) {
    draw_words(rng, begin / 4, words);
    for (std::uint64_t k = 0; k < 4; ++k) {
      for (std::uint64_t b = 0, i = begin + k; b < kWordBlocks && i < n; ++b, i += 4) {
        const std::uint64_t product = std::uint64_t{words[k][b]} * n;
        const bool fair = static_cast<std::uint32_t>(product) >= unfair;
        std::uint8_t& count = counts[fair ? product >> 32 : rng.below(kReplacements + i, n)];
        count = static_cast<std::uint8_t>(count + (count < kMostDraws ? 1 : 0));
      }
    }
  }
}

// Inverse of the distribution function of Poisson(1), in words of 32 bits.
void draw_poisson(const Rng& rng, std::span<std::uint8_t> counts) {
  std::array<std::uint32_t, 13> limits{};
  long double probability = 0.36787944117144232159552377016146L, sum = 0;
  for (std::size_t k = 0; k < limits.size(); ++k) {
    sum += probability;
    limits[k] = static_cast<std::uint32_t>(std::min<long double>(sum * 0x1p32L, 0x1p32L - 1));
    probability /= static_cast<long double>(k + 1);
  }
  for (std::size_t i = 0; i < counts.size(); i += 4) {
    const Philox4 words = rng.words(i / 4);
    for (std::size_t k = 0; k < 4 && i + k < counts.size(); ++k) {
      std::uint8_t count = 0;
      while (count < limits.size() && words[k] >= limits[count]) ++count;
      counts[i + k] = count;
    }
  }
  if (std::all_of(counts.begin(), counts.end(), [](std::uint8_t c) { return c == 0; })) counts[0] = 1;
}

}  // namespace

void draw_rows(const ForestOptions& options, std::int64_t tree, std::span<const std::uint8_t> mask,
               std::span<std::uint8_t> counts) {
  std::fill(counts.begin(), counts.end(), std::uint8_t{0});
  const auto used = mask.empty()
                        ? static_cast<std::ptrdiff_t>(counts.size())
                        : std::count_if(mask.begin(), mask.end(), [](std::uint8_t m) { return m != 0; });
  if (used == 0) return;
  // The unmasked rows are drawn as if there were no others, and their counts are then moved into place in
  // one pass.
  const std::span<std::uint8_t> drawn = counts.first(static_cast<std::size_t>(used));
  const Rng rng(options.seed, Purpose::kForestRows, static_cast<std::uint64_t>(tree));
  switch (options.bootstrap) {
    case ForestOptions::Bootstrap::kMultinomial:
      draw_multinomial(rng, drawn);
      break;
    case ForestOptions::Bootstrap::kPoisson:
      draw_poisson(rng, drawn);
      break;
    case ForestOptions::Bootstrap::kNone:
      std::fill(drawn.begin(), drawn.end(), std::uint8_t{1});
      break;
  }
  auto next = static_cast<std::size_t>(used);
  for (std::size_t i = counts.size();
       next < i;) {  // from the end: nothing is overwritten before it has moved
    --i;
    counts[i] = mask[i] != 0 ? counts[--next] : std::uint8_t{0};
  }
}

}  // namespace umbra
