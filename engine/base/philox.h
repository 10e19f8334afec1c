// Philox4x32-10: a counter-based random number generator (Salmon, Moraes, Dror & Shaw 2011, "Parallel random
// numbers: as easy as 1, 2, 3"). A draw is a pure function of (seed, purpose, index, lane): it has no state and
// does not depend on the order of draws or on the thread. A dropout mask is the same on one thread, on 72, and on
// a GPU.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace umbra {

using Philox4 = std::array<std::uint32_t, 4>;

/// Ten rounds of Philox4x32: four independent 32-bit words from a 128-bit counter and a 64-bit key.
constexpr Philox4 philox4x32(Philox4 counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(product1),
        static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

/// A word of Philox output as a uniform number in [0, 1) with 24 bits, exact in float.
constexpr float uniform_from(std::uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24f;
}

/// What a stream of random numbers is used for. The values are part of a run's file format: never renumber them.
enum class Purpose : std::uint32_t {
  kInitialisation = 1,
  kPermutation = 2,
  kDropout = 3,
  kAugmentation = 4,
  kSplit = 5,
  kTest = 6,
  kMockField = 16,
  kMockVelocity = 17,
  kMockCentral = 18,
  kMockSatellite = 19,
  kMockProperty = 20,
  kMockStellarMass = 21,
  kForestRows = 32,
  kForestFeatures = 33,
  kForestThreshold = 34,
  kForestPermutation = 35,
  kForestFolds = 36,
  kForestTies = 37,
};

/// A stream of random numbers keyed by (seed, purpose, stream). Every draw is given its index.
class Rng {
 public:
  constexpr Rng(std::uint64_t seed, Purpose purpose, std::uint64_t stream = 0)
      : seed_(seed), purpose_(static_cast<std::uint32_t>(purpose)), stream_(stream) {}

  /// The counter of `index`: its low and high word, the stream, the purpose. Indices go up to 2^64 - 1. Streams
  /// with numbers up to 2^32 - 1 never overlap.
  constexpr Philox4 counter(std::uint64_t index) const {
    return {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
            static_cast<std::uint32_t>(stream_), purpose_ ^ static_cast<std::uint32_t>(stream_ >> 32) << 8};
  }
  /// Four words for `index`: ten rounds on its counter, with the seed's low and high word as the key.
  constexpr Philox4 words(std::uint64_t index) const {
    return philox4x32(counter(index), static_cast<std::uint32_t>(seed_),
                      static_cast<std::uint32_t>(seed_ >> 32));
  }
  /// Uniform in [0, 1) with 53 bits.
  constexpr double uniform(std::uint64_t index) const {
    const Philox4 w = words(index);
    return static_cast<double>((std::uint64_t{w[0]} << 32 | w[1]) >> 11) * 0x1p-53;
  }
  /// Uniform integer in [0, bound) by multiplication (bias below bound / 2^64).
  constexpr std::uint64_t below(std::uint64_t index, std::uint64_t bound) const {
    const Philox4 w = words(index);
    const std::uint64_t low = std::uint64_t{w[0]} * bound;
    return (std::uint64_t{w[1]} * bound + (low >> 32)) >> 32;
  }
  /// Standard normal by the Box-Muller transform.
  double normal(std::uint64_t index) const {
    const Philox4 w = words(index);
    const double u = (static_cast<double>((std::uint64_t{w[0]} << 32 | w[1]) >> 11) + 0.5) * 0x1p-53;
    const double v = static_cast<double>((std::uint64_t{w[2]} << 32 | w[3]) >> 11) * 0x1p-53;
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }

  /// The same seed and purpose with another stream number.
  constexpr Rng stream(std::uint64_t stream) const {
    return Rng(seed_, static_cast<Purpose>(purpose_), stream);
  }
  constexpr std::uint64_t seed() const { return seed_; }

 private:
  std::uint64_t seed_;
  std::uint32_t purpose_;
  std::uint64_t stream_;
};

}  // namespace umbra
