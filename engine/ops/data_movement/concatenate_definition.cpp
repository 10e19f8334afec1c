// The definitions of concatenate and split and the problems on which their rungs are tested and timed:
// channels of layers, columns of rows, whole batches, and irregular shapes.
#include "engine/ops/data_movement/concatenate_reference.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

template <class O>
Problems problems(DType dtype) {
  Problems list;
  const auto add = [&](std::int64_t outer, const std::vector<std::int64_t>& extents, std::int64_t inner) {
    list.push_back(std::make_unique<O>(dtype, outer, extents, inner));
  };
  add(32, {20, 12}, 64);  // channels
  add(8, {16, 16}, 1000);
  add(32, {400, 3}, 1);  // columns
  add(257, {1, 14, 1}, 1);
  add(1, {3, 1, 5}, 77);  // the first axis
  add(1, {16384, 16385, 1}, 1);
  add(2, {40009}, 1);
  add(1, {1}, 1);
  add(3, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 1);
  add(5001, {1, 2}, 1);
  add(7, {2, 0, 3}, 5);  // an empty part
  add(31, {15, 16, 17}, 3);
  add(0, {2, 3}, 4);
  add(2, {2, 3}, 0);
  return list;
}

}  // namespace

Ladder concatenate_definition() {
  return define_op<Concatenate, concatenate_reference<float>, concatenate_reference<double>>(
      problems<Concatenate>);
}
Ladder split_definition() {
  return define_op<Split, split_reference<float>, split_reference<double>>(problems<Split>);
}

}  // namespace umbra
