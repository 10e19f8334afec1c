// conv's register tiles (engine/ops/conv_tiles.h); each finished tile gets its affine map, residual and ReLU
// while it is in the first-level cache, which costs a load and a store per vector where the sums took Cin
// fused multiply-adds per live tap.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/conv_inference/cpu_1_tiles.cpp"
#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/carver.h"
#include "engine/ops/conv_inference/op.h"
#include "engine/ops/conv_taps.h"
#include "engine/ops/conv_tiles.h"
#include "engine/ops/kernel.h"
#include "engine/ops/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// c = act(c scale + shift + residual) on rows x lanes. A NaN passes.
template <bool kRelu, bool kResidual>
HWY_INLINE void finish(const SumTile& t, const float* residual, const float* scale, const float* shift) {
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

/// `residual` stands at the tile's place, or is null.
void finish_tile(const SumTile* t, bool relu, const float* residual, const float* scale, const float* shift) {
  if (residual != nullptr) {
    relu ? finish<true, true>(*t, residual, scale, shift) : finish<false, true>(*t, residual, scale, shift);
  } else {
    relu ? finish<true, false>(*t, nullptr, scale, shift) : finish<false, false>(*t, nullptr, scale, shift);
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(finish_tile);

namespace {

class Finish final : public TileFinish {
 public:
  Finish(bool relu, const float* residual, const float* scale, const float* shift)
      : relu_(relu), residual_(residual), scale_(scale), shift_(shift) {}
  void prefetch(const SumTile& tile, std::int64_t offset) const override {
    constexpr std::int64_t kLine = 64 / sizeof(float);
    if (residual_ == nullptr) return;
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      const float* row = residual_ + offset + r * tile.c_row;
      for (std::int64_t l = 0; l < tile.lanes; l += kLine) __builtin_prefetch(row + l, 0, 2);
    }
  }
  void run(const SumTile& tile, std::int64_t offset, std::int64_t channel) const override {
    const float* residual = residual_ == nullptr ? nullptr : residual_ + offset;
    HWY_DYNAMIC_DISPATCH(finish_tile)(&tile, relu_, residual, scale_ + channel, shift_ + channel);
  }

 private:
  bool relu_;
  const float *residual_, *scale_, *shift_;
};

struct Space {
  std::span<float> scale, shift;  // [Cout]
  std::span<std::byte> tiles;     // conv_tiles' own

  Space(Carver& carver, const ConvGeometry& g)
      : scale(carver.take<float>(g.out_channels)),
        shift(carver.take<float>(g.out_channels)),
        tiles(carver.take<std::byte>(static_cast<std::int64_t>(conv_fprop_tiles_workspace(g)))) {}
};

}  // namespace

std::string conv_inference_tiles_decline(const ConvInference& op) {
  return too_many_positions(op.geometry);
}

std::size_t conv_inference_tiles_workspace(const ConvInference& op) {
  Carver carver(nullptr);
  const Space space(carver, op.geometry);
  return carver.used();
}

void conv_inference_tiles(const ConvInference& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = static_cast<const float*>(buffers[0]);      // [D, H, W, Cin, N]
  const float* w = static_cast<const float*>(buffers[1]);      // [live tap, Cin, Cout]
  const float* gamma = static_cast<const float*>(buffers[2]);  // [Cout], as the three below
  const float* beta = static_cast<const float*>(buffers[3]);
  const float* mean = static_cast<const float*>(buffers[4]);
  const float* var = static_cast<const float*>(buffers[5]);
  const float* residual = op.residual ? static_cast<const float*>(buffers[6]) : nullptr;  // as y
  float* y = static_cast<float*>(buffers[7]);  // [oD, oH, oW, Cout, N]
  Carver carver(workspace);
  const Space space(carver, op.geometry);
  for (std::size_t c = 0; c < space.scale.size(); ++c) {
    const double scale = static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(var[c]) + op.epsilon);
    space.scale[c] = static_cast<float>(scale);
    space.shift[c] = static_cast<float>(static_cast<double>(beta[c]) - static_cast<double>(mean[c]) * scale);
  }
  const Finish finish(op.relu, residual, space.scale.data(), space.shift.data());
  conv_fprop_tiles(op.geometry, x, w, y, space.tiles.data(), &finish);
}

}  // namespace umbra
#endif
