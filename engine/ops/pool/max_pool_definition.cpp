// The definitions of max pooling and the problems on which its rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/pool/max_pool_reference.h"
#include "engine/ops/pool/pool_problems.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

constexpr std::span<const PoolGeometry> kLists[] = {kPoolGeometries, kCeilGeometries, kDilatedGeometries};

template <class O>
Problems problems(DType dtype) {
  Problems problems;
  for (const std::span<const PoolGeometry> list : kLists) {
    for (const PoolGeometry& geometry : list) problems.push_back(std::make_unique<O>(dtype, geometry));
  }
  return problems;
}

}  // namespace

Ladder max_pool_forward_definition() {
  return define_op<MaxPoolForward, max_pool_forward_reference<float>, max_pool_forward_reference<double>>(
      problems<MaxPoolForward>);
}
Ladder max_pool_backward_definition() {
  return define_op<MaxPoolBackward, max_pool_backward_reference<float>, max_pool_backward_reference<double>>(
      problems<MaxPoolBackward>);
}

}  // namespace umbra
