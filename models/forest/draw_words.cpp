#include "models/forest/draw_words.h"

namespace umbra {
namespace {

// The loop over blocks is vectorised with the vectors of the target of the function it is inlined into.
[[gnu::always_inline]] inline void ten_rounds(std::uint32_t key0, std::uint32_t key1, WordBlocks& words) {
  std::uint32_t *w0 = words[0].data(), *w1 = words[1].data(), *w2 = words[2].data(), *w3 = words[3].data();
  for (int round = 0; round < 10; ++round) {
    for (std::size_t b = 0; b < kWordBlocks; ++b) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * w0[b];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * w2[b];
      w0[b] = static_cast<std::uint32_t>(product1 >> 32) ^ w1[b] ^ key0;
      w1[b] = static_cast<std::uint32_t>(product1);
      w2[b] = static_cast<std::uint32_t>(product0 >> 32) ^ w3[b] ^ key1;
      w3[b] = static_cast<std::uint32_t>(product0);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

using Rounds = void (*)(std::uint32_t, std::uint32_t, WordBlocks&);

void rounds_anywhere(std::uint32_t key0, std::uint32_t key1, WordBlocks& words) {
  ten_rounds(key0, key1, words);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void rounds_avx2(std::uint32_t key0, std::uint32_t key1, WordBlocks& words) {
  ten_rounds(key0, key1, words);
}
Rounds best_rounds() {
  return __builtin_cpu_supports("avx2") != 0 ? rounds_avx2 : rounds_anywhere;
}
#else
Rounds best_rounds() {
  return rounds_anywhere;
}
#endif

}  // namespace

void draw_words(const Rng& rng, std::uint64_t first, WordBlocks& words) {
  static const Rounds rounds = best_rounds();
  const Philox4 counter = rng.counter(first);
  for (std::size_t b = 0; b < kWordBlocks; ++b) {
    words[0][b] = counter[0] + static_cast<std::uint32_t>(b);
    words[1][b] = counter[1], words[2][b] = counter[2], words[3][b] = counter[3];
  }
  rounds(static_cast<std::uint32_t>(rng.seed()), static_cast<std::uint32_t>(rng.seed() >> 32), words);
}

}  // namespace umbra
