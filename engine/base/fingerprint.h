// Fingerprint: a hash of data, by which a resumed run recognises that its data have not changed.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace umbra {

/// FNV-1a over all numbers, 32 bits at a time. The data may be added in any number of pieces.
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
  /// The hash as two numbers of 32 bits, the upper half first.
  std::vector<double> value() const {
    return {static_cast<double>(hash_ >> 32), static_cast<double>(hash_ & 0xffffffff)};
  }

 private:
  static constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace umbra
