// The register-tile loop over live taps with operands rounded to bfloat16, of fprop, dgrad and inference.
// Layouts as in engine/ops/conv/op.h; too_many_positions() (engine/ops/conv/taps.h) says which geometries it
// cannot take.
#pragma once

#include "engine/base/dtype.h"
#include "engine/ops/conv/geometry.h"
#include "engine/ops/conv/tiles.h"

namespace umbra {

/// What makes the sums: the CPU's dot product of pairs (only where bf16_tile_supported() holds), or fp32
/// tiles on any CPU, with the same numbers up to the order of roundings.
enum class Bf16Sums { kDots, kWide };

std::size_t conv_fprop_bf16_workspace(const ConvGeometry& g, Bf16Sums sums);
/// y = x * w of rounded operands, `epilogue` (which may be null) applied to every tile of it. The weights
/// stand in memory as `weights`: f32, which are rounded on the way, or bf16.
void conv_fprop_bf16(const ConvGeometry& g, Bf16Sums sums, const float* x, const void* w, DType weights,
                     float* y, void* workspace, const TileEpilogue* epilogue);

/// dx from dy and fp32 weights, with dot products.
std::size_t conv_dgrad_bf16_workspace(const ConvGeometry& g);
void conv_dgrad_bf16(const ConvGeometry& g, const float* dy, const float* w, float* dx, void* workspace);

}  // namespace umbra
