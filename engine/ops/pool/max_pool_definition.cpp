// The definitions of max pooling and the problems on which its rungs are tested and timed: the stem of the
// network, and every odd geometry.
#include "engine/ops/ladder.h"
#include "engine/ops/pool/max_pool_reference.h"

namespace umbra {
namespace {

constexpr PoolGeometry kGeometries[] = {
    {8, 20, {15, 15, 15}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},   // the stem, a quarter of a batch
    {2, 16, {1, 112, 112}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},  // ResNet-18 in two dimensions, fewer channels
    {1, 1, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    {1, 1, {1, 1, 1}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},  // nothing but padding around one number
    {2, 3, {2, 2, 2}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, 2, {5, 7, 11}, {3, 2, 5}, {1, 2, 3}, {1, 0, 2}},
    {2, 2, {5, 6, 7}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, 2, {4, 5, 2}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}},
    {1, 2, {5, 6, 4}, {2, 3, 4}, {1, 3, 2}, {1, 0, 2}},
    {3, 1, {1, 1, 33}, {1, 1, 2}, {1, 1, 1}, {0, 0, 1}},
    {2, 2, {1, 9, 8}, {1, 2, 2}, {1, 3, 3}, {0, 0, 0}},  // strides that skip inputs
    {1, 1, {17, 13, 19}, {4, 5, 3}, {4, 1, 2}, {2, 2, 1}},
    {32, 3, {4, 4, 4}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}},
    {5, 13, {3, 4, 5}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},  // a row of four vectors and one number
    {1, 1100, {2, 3, 3}, {1, 3, 2}, {1, 1, 1}, {0, 1, 1}},
};

template <class O>
Problems problems(DType dtype) {
  Problems problems;
  for (const PoolGeometry& geometry : kGeometries) problems.push_back(std::make_unique<O>(dtype, geometry));
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
