// Random words in blocks: Rng::words() for many indices at once, vectorised.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/philox.h"

namespace umbra {

inline constexpr std::size_t kWordBlocks = 32;  ///< indices per call of draw_words()
/// [word of an index][index].
using WordBlocks = std::array<std::array<std::uint32_t, kWordBlocks>, 4>;

/// Sets words[k][b] = rng.words(first + b)[k]. Requires first + kWordBlocks below 2^32.
void draw_words(const Rng& rng, std::uint64_t first, WordBlocks& words);

}  // namespace umbra
