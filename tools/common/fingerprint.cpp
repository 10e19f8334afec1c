#include "tools/common/fingerprint.h"

#include <bit>

namespace umbra {

void Fingerprint::add(std::span<const float> numbers) {
  for (float value : numbers) hash_ = (hash_ ^ std::bit_cast<std::uint32_t>(value)) * 0x100000001b3;
}

std::vector<double> Fingerprint::value() const {
  return {static_cast<double>(hash_ >> 32), static_cast<double>(hash_ & 0xffffffff)};
}

std::vector<double> fingerprint(const BoxSet& boxes) {
  Fingerprint whole;
  whole.add(boxes.input);
  whole.add(boxes.smf);
  return whole.value();
}
}  // namespace umbra
