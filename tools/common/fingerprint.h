// Which catalog, cut how, a run or a forest belongs to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/boxes/boxes.h"

namespace umbra {

/// A number that differs when inputs or labels do (taken before scale_inputs): which catalog, cut how, a run
/// belongs to. Taken of the inputs of all boxes, then of all labels, in as many pieces as are at hand.
class Fingerprint {
 public:
  void add(std::span<const float> numbers);
  std::vector<double> value() const;  // two halves of 32 bits

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a over the bits of every number
};
std::vector<double> fingerprint(const BoxSet& boxes);

}  // namespace umbra
