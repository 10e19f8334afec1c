// What the tests of packed activations and of packed weights expect alike: the bits of a kernel that packs for itself, and
// that no other kernel reads them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/precision.h"
#include "engine/ops/op.h"
#include "engine/registry/registry.h"

namespace umbra::cuda_test {

/// `result(rung, precision, packed)` is what a rung computes from packed operands or from others.
template <class Result>
void expect_bits_of_kernels_that_pack(const Result& result) {
  for (const std::string rung : {"cuda_4_wgmma", "cuda_5_tma", "cuda_6_specialised", "cuda_7_cluster"}) {
    for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
      const std::vector<double> packed = result(rung, precision, true);
      EXPECT_EQ(packed, result(rung, precision, false)) << rung;
      EXPECT_GT(std::count_if(packed.begin(), packed.end(), [](double y) { return y != 0; }), 0) << rung;
    }
  }
}

/// Any other kernel would take packed numbers for something else. The kernels that pack support the problem `op` with packed
/// operands if `supported`. Returns their number.
inline int expect_only_kernels_that_pack_read(const Registry& registry, const Op& op, bool supported) {
  constexpr int kFirstThatPacks = 4;
  int readers = 0;
  for (const Ladder& ladder : registry.ladders()) {
    if (ladder.op != op.name()) continue;
    for (const Kernel& kernel : ladder.kernels) {
      const bool packs = kernel.device == Device::Kind::kCuda && kernel.rung.starts_with("cuda_") &&
                         kernel.rung[5] - '0' >= kFirstThatPacks;
      EXPECT_EQ(kernel.declines(op).empty(), packs && supported)
          << op.name() << ' ' << op.text() << ' ' << kernel.rung;
      readers += packs ? 1 : 0;
    }
  }
  return readers;
}

}  // namespace umbra::cuda_test
