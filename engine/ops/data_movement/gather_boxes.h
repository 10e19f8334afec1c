// A batch assembled from boxes in memory:  y[n] = the boxes through window n,  where a window names up to
// eight neighbouring boxes, a shift by whole voxels and a symmetry of the cube (engine/base/box_window.h).
// A few numbers thus select the samples of a training step, and the boxes never move.
#pragma once

#include "engine/base/box_window.h"
#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class GatherBoxes final : public Op {
 public:
  GatherBoxes(DType type, std::int64_t boxes_, std::int64_t features_, std::int64_t voxels_,
              std::int64_t batch_)
      : Op(type), boxes(boxes_), features(features_), voxels(voxels_), batch(batch_) {}
  static constexpr std::string_view kName = "gather_boxes";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("b", boxes, " f", features, " v", voxels, " n", batch); }
  std::int64_t volume() const { return voxels * voxels * voxels; }
  /// Elements of one box, and of one sample.
  std::int64_t sample() const { return features * volume(); }
  std::vector<BufferSpec> buffers() const override {
    return {{"boxes", dtype, boxes * sample(), Access::kIn},
            {"windows", DType::kI32, batch * kBoxWindowNumbers, Access::kIn},
            {"y", dtype, batch * sample(), Access::kOut}};
  }
  double flops() const override { return 0; }
  bool exact_on_integers() const override { return true; }

  std::int64_t boxes;
  std::int64_t features;
  std::int64_t voxels;
  std::int64_t batch;
};

}  // namespace umbra
