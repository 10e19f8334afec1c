// The register-tile loop over live taps with operands rounded to bfloat16, for fprop, dgrad and inference.
// Layouts as in engine/ops/conv/op.h; too_many_positions() (engine/ops/conv/taps.h) reports the geometries
// that it does not support.
#pragma once

#include "engine/base/dtype.h"
#include "engine/ops/conv/geometry.h"
#include "engine/ops/conv/tiles.h"

namespace umbra {

/// How sums are computed: by the CPU's dot product of pairs (only where bf16_tile_supported() holds), or in
/// fp32 tiles on any CPU. The results agree up to the order of roundings.
enum class Bf16Sums { kDots, kWide };

std::size_t conv_fprop_bf16_workspace(const ConvGeometry& g, Bf16Sums sums);
/// y = x * w of rounded operands, `epilogue` (which may be null) applied to every tile of it. `weights` is
/// the type in which the weights are stored: f32, which are rounded by this function, or bf16.
void conv_fprop_bf16(const ConvGeometry& g, Bf16Sums sums, const float* x, const void* w, DType weights,
                     float* y, void* workspace, const TileEpilogue* epilogue);

/// dx from dy and fp32 weights, with dot products.
std::size_t conv_dgrad_bf16_workspace(const ConvGeometry& g);
void conv_dgrad_bf16(const ConvGeometry& g, const float* dy, const float* w, float* dx, void* workspace);

}  // namespace umbra
