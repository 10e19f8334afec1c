// The epilogue of inference on the CPU: what becomes of a tile of the convolution's output while it is in the
// first-level cache. Batch norm is one multiplication and one addition per element; the residual and the ReLU
// follow.
#pragma once

#include <span>

#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/tiles.h"
#include "engine/ops/shared/workspace_allocator.h"

namespace umbra {

class ConvEpilogue final : public TileEpilogue {
 public:
  /// scale and shift ([Cout] each) from the workspace: in double, rounded once.
  ConvEpilogue(WorkspaceAllocator& allocator, const ConvInference& op, Buffers buffers);
  /// Bytes that the constructor takes.
  static std::size_t workspace(const ConvInference& op);

  void prefetch(const OutputTile& tile) const override;
  void run(const OutputTile& tile) const override;

 private:
  bool relu_;
  const float* residual_;  // as the output, or null
  std::span<float> scale_, shift_;
};

}  // namespace umbra
