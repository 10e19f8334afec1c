// An affine map, a residual and a ReLU: one load and one store per vector, after sums of Cin fused
// multiply-adds per live tap.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/conv/epilogue.cpp"
#include "engine/ops/conv/epilogue.h"

#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// c = act(c scale + shift + residual) on rows x lanes. A NaN stays a NaN.
template <bool kRelu, bool kResidual>
HWY_INLINE void apply(const OutputTile& t, const float* residual, const float* scale, const float* shift) {
  for (std::int64_t r = 0; r < t.rows; ++r) {
    float* c = t.c + r * t.c_row;
    for_lanes<float>(t.lanes, [&](auto d, std::int64_t l) HWY_ATTR {
      auto v = hn::MulAdd(hn::LoadU(d, c + l), hn::Set(d, scale[r]), hn::Set(d, shift[r]));
      if constexpr (kResidual) v = hn::Add(v, hn::LoadU(d, residual + r * t.c_row + l));
      if constexpr (kRelu) v = hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), v);
      hn::StoreU(v, d, c + l);
    });
  }
}

/// `residual` points to the residual of the tile, or is null.
void apply_to_tile(const OutputTile* t, bool relu, const float* residual, const float* scale,
                   const float* shift) {
  if (residual != nullptr) {
    relu ? apply<true, true>(*t, residual, scale, shift) : apply<false, true>(*t, residual, scale, shift);
  } else {
    relu ? apply<true, false>(*t, nullptr, scale, shift) : apply<false, false>(*t, nullptr, scale, shift);
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(apply_to_tile);

ConvEpilogue::ConvEpilogue(WorkspaceAllocator& allocator, const ConvInference& op, Buffers buffers)
    : relu_(op.relu),
      residual_(op.residual ? buffers.in(6) : nullptr),
      scale_(allocator.take<float>(op.geometry.out_channels)),
      shift_(allocator.take<float>(op.geometry.out_channels)) {
  const float* gamma = buffers.in(2);  // [Cout], as the three below
  const float* beta = buffers.in(3);
  const float* mean = buffers.in(4);
  const float* var = buffers.in(5);
  for (std::size_t c = 0; c < scale_.size(); ++c) {
    const double scale = static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(var[c]) + op.epsilon);
    scale_[c] = static_cast<float>(scale);
    shift_[c] = static_cast<float>(static_cast<double>(beta[c]) - static_cast<double>(mean[c]) * scale);
  }
}

std::size_t ConvEpilogue::workspace(const ConvInference& op) {
  WorkspaceAllocator allocator(nullptr);
  for (int i = 0; i < 2; ++i) allocator.take<float>(op.geometry.out_channels);
  return allocator.used();
}

void ConvEpilogue::prefetch(const OutputTile& tile) const {
  constexpr std::int64_t kLine = 64 / sizeof(float);
  if (residual_ == nullptr) return;
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    const float* row = residual_ + tile.offset + r * tile.c_row;
    for (std::int64_t l = 0; l < tile.lanes; l += kLine) __builtin_prefetch(row + l, 0, 2);
  }
}

void ConvEpilogue::run(const OutputTile& tile) const {
  const float* residual = residual_ == nullptr ? nullptr : residual_ + tile.offset;
  HWY_DYNAMIC_DISPATCH(apply_to_tile)
  (&tile, relu_, residual, scale_.data() + tile.channel, shift_.data() + tile.channel);
}

}  // namespace umbra
#endif
