// The epilogue of inference on the CPU: it is applied to a tile of the convolution's output while the tile
// is in the first-level cache. Batch norm is one multiplication and one addition per element; the residual
// and the ReLU follow.
#pragma once

#include <span>

#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/tiles.h"
#include "engine/ops/shared/workspace_allocator.h"

namespace umbra {

class ConvEpilogue final : public TileEpilogue {
 public:
  /// Computes scale and shift ([Cout] each) in the workspace: in double, rounded once.
  ConvEpilogue(WorkspaceAllocator& allocator, const ConvInference& op, Buffers buffers);
  /// Bytes that the constructor allocates.
  static std::size_t workspace(const ConvInference& op);

  void prefetch(const OutputTile& tile) const override;
  void run(const OutputTile& tile) const override;

 private:
  bool relu_;
  const float* residual_;  // as the output, or null
  std::span<float> scale_, shift_;
};

}  // namespace umbra
