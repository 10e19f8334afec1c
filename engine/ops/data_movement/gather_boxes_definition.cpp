// The definition of gather_boxes and the problems on which its rungs are tested and timed: boxes of the
// network and irregular ones.
#include "engine/ops/data_movement/gather_boxes_reference.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

Problems problems(DType dtype) {
  Problems list;
  const auto add = [&](std::int64_t boxes, std::int64_t features, std::int64_t voxels, std::int64_t batch) {
    list.push_back(std::make_unique<GatherBoxes>(dtype, boxes, features, voxels, batch));
  };
  add(1, 1, 1, 1);
  add(1, 1, 5, 3);
  add(8, 2, 3, 7);
  add(27, 1, 7, 32);
  add(5, 3, 25, 4);
  add(64, 1, 25, 32);
  return list;
}

}  // namespace

Ladder gather_boxes_definition() {
  return define_op<GatherBoxes, gather_boxes_reference<float>, gather_boxes_reference<double>>(problems);
}

}  // namespace umbra
