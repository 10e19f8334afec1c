// The fp32 register-tile loop over live taps, for fprop, dgrad and inference. Layouts as in
// engine/ops/conv/op.h; too_many_positions() (engine/ops/conv/taps.h) reports the geometries that it does
// not support.
#pragma once

#include "engine/cpu/sum_tile.h"
#include "engine/ops/conv/geometry.h"

namespace umbra {

struct OutputTile {
  float* c;  // channels `c_row` apart
  std::int64_t c_row, rows, lanes;
  std::int64_t offset;   // of c in the output
  std::int64_t channel;  // the first of `rows`
};

/// Applied to a tile of outputs once its sums are complete, while it is in the first-level cache.
class TileEpilogue {
 public:
  /// Prefetches the data that run() reads besides the tile, before its last sums; called only where
  /// operands are not in the second-level cache.
  virtual void prefetch(const OutputTile& tile) const = 0;
  /// Changes `rows` channels by `lanes` samples at tile.c. Called once per element of the output, by any
  /// thread.
  virtual void run(const OutputTile& tile) const = 0;

 protected:
  ~TileEpilogue() = default;
};

std::size_t conv_fprop_tiles_workspace(const ConvGeometry& g);
std::size_t conv_dgrad_tiles_workspace(const ConvGeometry& g);

/// y = x * w, `epilogue` (which may be null) applied to every tile of it.
void conv_fprop_tiles(const ConvGeometry& g, const float* x, const float* w, float* y, void* workspace,
                      const TileEpilogue* epilogue);
/// dx from dy and w
void conv_dgrad_tiles(const ConvGeometry& g, const float* dy, const float* w, float* dx, void* workspace);

}  // namespace umbra
