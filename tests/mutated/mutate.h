// Damage to a file, drawn from a stream of random numbers: the same stream does the same damage everywhere.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/philox.h"

namespace umbra::mutated {

/// The numbers of a stream in their order.
class Draws {
 public:
  explicit Draws(const Rng& rng) : rng_(rng) {}
  /// In [0, bound); 0 for a bound of 0.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(rng_.below(next_++, bound)); }
  std::uint32_t word() { return rng_.words(next_++)[0]; }

 private:
  Rng rng_;
  std::uint64_t next_ = 0;
};

/// One to four changes as caused by disks, transfers or attackers: bits, words, runs, slices.
std::string mutate_bytes(std::string bytes, Draws& draws);
/// One to four changes to numbers, lines and separators, sometimes to bytes.
std::string mutate_text(std::string text, Draws& draws);

}  // namespace umbra::mutated
