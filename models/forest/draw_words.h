// Random words by the block: what Rng::words() says of many indices, computed side by side.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/philox.h"

namespace umbra {

inline constexpr std::size_t kWordBlocks = 32;
using WordBlocks = std::array<std::array<std::uint32_t, kWordBlocks>, 4>;

/// words[k][b] = rng.words(first + b)[k]; first + kWordBlocks < 2^32.
void draw_words(const Rng& rng, std::uint64_t first, WordBlocks& words);

}  // namespace umbra
