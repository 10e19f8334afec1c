// The definitions of average pooling over windows and the problems on which its rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/pool/average_pool_reference.h"
#include "engine/ops/pool/pool_problems.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

constexpr std::span<const PoolGeometry> kLists[] = {kPoolGeometries, kCeilGeometries};

template <class O>
Problems problems(DType dtype) {
  Problems problems;
  for (const std::span<const PoolGeometry> list : kLists) {
    for (const PoolGeometry& geometry : list) {
      problems.push_back(std::make_unique<O>(dtype, geometry));
      const bool padded = geometry.padding != Triple{0, 0, 0};
      if (padded) problems.push_back(std::make_unique<O>(dtype, geometry, false));
    }
  }
  return problems;
}

}  // namespace

Ladder average_pool_forward_definition() {
  return define_op<AveragePoolForward, average_pool_forward_reference<float>,
                   average_pool_forward_reference<double>>(problems<AveragePoolForward>);
}
Ladder average_pool_backward_definition() {
  return define_op<AveragePoolBackward, average_pool_backward_reference<float>,
                   average_pool_backward_reference<double>>(problems<AveragePoolBackward>);
}

}  // namespace umbra
