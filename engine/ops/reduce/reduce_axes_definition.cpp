// The definitions of the reductions over axes and the problems on which their rungs are tested and timed:
// batches, rows, columns, channels, whole tensors, every pattern of axes, and irregular shapes.
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/reduce_axes_reference.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

struct Case {
  std::vector<std::int64_t> extents;
  std::vector<int> reduced;
};

// Small cases, for every reduction.
const std::vector<Case>& small_cases() {
  static const std::vector<Case> cases = {{{32, 14}, {1}},
                                          {{32, 400}, {0}},
                                          {{1}, {0}},
                                          {{5}, {}},
                                          {{1, 1}, {0, 1}},
                                          {{7, 1, 3}, {1}},
                                          {{3, 4, 5}, {0}},
                                          {{3, 4, 5}, {1}},
                                          {{3, 4, 5}, {2}},
                                          {{3, 4, 5}, {0, 2}},
                                          {{3, 4, 5, 2}, {1, 3}},
                                          {{2, 3, 4, 5}, {0, 2}},
                                          {{5, 2, 3, 2, 4, 3}, {0, 2, 4}},
                                          {{5, 2, 3, 2, 4, 3}, {1, 3, 5}},
                                          {{63, 65}, {0}},
                                          {{65, 63}, {1}},
                                          {{129, 64}, {0}},
                                          {{1171, 2}, {1}},
                                          {{2, 1171}, {0}},
                                          {{3, 16385}, {1}},
                                          {{0, 3}, {1}}};
  return cases;
}
// Large cases, for a sum and a maximum.
const std::vector<Case>& large_cases() {
  static const std::vector<Case> cases = {
      {{32, 20, 512}, {0, 2}}, {{32, 20, 512}, {1}},   {{8, 3, 64, 64}, {2, 3}},
      {{98317}, {0}},          {{40009, 3}, {0}},      {{2, 20011, 3}, {1}},
      {{16411, 2, 2}, {0, 2}}, {{2, 3, 8191}, {0, 2}}, {{5, 3, 4099}, {0, 2}}};
  return cases;
}

template <class O>
Problems problems(DType dtype) {
  Problems list;
  const auto add = [&](AxisReduction how, const Case& c) {
    std::vector<bool> reduced(c.extents.size());
    for (int axis : c.reduced) reduced[static_cast<std::size_t>(axis)] = true;
    list.push_back(std::make_unique<O>(dtype, how, AxesGeometry(c.extents, reduced)));
  };
  for (AxisReduction how :
       {AxisReduction::kSum, AxisReduction::kMean, AxisReduction::kMax, AxisReduction::kMin}) {
    for (const Case& c : small_cases()) add(how, c);
  }
  for (AxisReduction how : {AxisReduction::kSum, AxisReduction::kMax}) {
    for (const Case& c : large_cases()) add(how, c);
  }
  add(AxisReduction::kSum, {{3, 0}, {1}});  // an empty sum is 0; the other reductions give NaN or infinity
  return list;
}

}  // namespace

Ladder reduce_axes_forward_definition() {
  return define_op<ReduceAxesForward, reduce_axes_forward_reference<float>,
                   reduce_axes_forward_reference<double>>(problems<ReduceAxesForward>);
}
Ladder reduce_axes_backward_definition() {
  return define_op<ReduceAxesBackward, reduce_axes_backward_reference<float>,
                   reduce_axes_backward_reference<double>>(problems<ReduceAxesBackward>);
}

}  // namespace umbra
