// Fingerprint: a number that tells whether numbers are the ones they were: which data a run belongs to.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace umbra {

/// FNV-1a over every number, 32 bits at a time, taken of all at once or in as many pieces as are at hand.
class Fingerprint {
 public:
  void add(std::span<const float> numbers) {
    for (const float value : numbers) hash_ = (hash_ ^ std::bit_cast<std::uint32_t>(value)) * kPrime;
  }
  void add(std::span<const double> numbers) {
    for (const double value : numbers) {
      const auto bits = std::bit_cast<std::uint64_t>(value);
      hash_ = (hash_ ^ (bits & 0xffffffff)) * kPrime;
      hash_ = (hash_ ^ (bits >> 32)) * kPrime;
    }
  }
  /// Two halves of 32 bits.
  std::vector<double> value() const {
    return {static_cast<double>(hash_ >> 32), static_cast<double>(hash_ & 0xffffffff)};
  }

 private:
  static constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace umbra
