// The definitions of softmax and its logarithm and the problems on which their rungs are tested and timed:
// the last axis, a middle one and the first, few and many classes, and irregular shapes.
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/softmax/reference.h"

namespace umbra {
namespace {

template <class O>
Problems problems(DType dtype) {
  struct View {
    std::int64_t outer, extent, inner;
  };
  constexpr View kViews[] = {
      {32, 14, 1},  {64, 10, 1},   {32, 1000, 1}, {8, 20, 512}, {2, 3, 4096}, {1, 5, 77},  {1, 64, 64},
      {1, 1, 1},    {3, 1, 5},     {1, 2, 1},     {2, 7, 1},    {7, 2, 3},    {5, 15, 1},  {5, 16, 1},
      {5, 17, 1},   {3, 31, 63},   {2, 33, 64},   {3, 5, 65},   {2, 4, 129},  {11, 13, 2}, {1, 4099, 1},
      {3, 1171, 1}, {1, 16411, 1}, {1, 2, 16411}, {5001, 1, 1}, {2003, 3, 1}, {0, 3, 5},   {2, 0, 3}};
  Problems list;
  for (const bool log : {false, true}) {
    for (const View& v : kViews) list.push_back(std::make_unique<O>(dtype, v.outer, v.extent, v.inner, log));
  }
  return list;
}

}  // namespace

Ladder softmax_forward_definition() {
  return define_op<SoftmaxForward, softmax_forward_reference<float>, softmax_forward_reference<double>>(
      problems<SoftmaxForward>);
}
Ladder softmax_backward_definition() {
  return define_op<SoftmaxBackward, softmax_backward_reference<float>, softmax_backward_reference<double>>(
      problems<SoftmaxBackward>);
}

}  // namespace umbra
