// What the fast rungs of conv_inference do to a tile of the convolution's output while it is in the
// first-level cache: batch norm as one multiplication and one addition per element, the residual, the ReLU.
#pragma once

#include <span>

#include "engine/ops/carver.h"
#include "engine/ops/conv_inference/op.h"
#include "engine/ops/conv_tiles.h"

namespace umbra {

class ConvInferenceFinish final : public TileFinish {
 public:
  /// scale and shift ([Cout] each) from the workspace: in double, rounded once.
  ConvInferenceFinish(Carver& carver, const ConvInference& op, Buffers buffers);
  /// Takes from the carver what the other one does.
  static void count(Carver& carver, const ConvInference& op);

  void prefetch(const OutputTile& tile) const override;
  void run(const OutputTile& tile) const override;

 private:
  bool relu_;
  const float* residual_;  // as the output, or null
  std::span<float> scale_, shift_;
};

}  // namespace umbra
