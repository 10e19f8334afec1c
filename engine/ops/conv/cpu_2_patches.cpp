// Weight gradient of a convolution with few input channels (a stem), fp32.
//
// cpu_1_taps makes input channels the lanes of a vector: with one channel 15 of 16 lanes idle, and the output
// gradient is read once per tap. Here the input is unfolded first, so that (channel, tap) together are the
// lanes and the output gradient is read once:
//
//   dw[k][(c, t)] = sum over output positions o and samples n of  dy[n][k][o] * patch[n][(c, t)][o]
//
// Sums run over so many positions that they are formed in kParts parts, added up in order at the end: work
// for more threads, and smaller rounding errors.
#include <algorithm>
#include <string>

#include "engine/cpu/parallel.h"
#include "engine/ops/conv/pass.h"
#include "engine/ops/conv/rungs.h"
#include "engine/ops/conv/taps.h"

namespace umbra {
namespace {

constexpr std::int64_t kParts = 32;
constexpr std::int64_t kMaxChannels = 8;  // with more, vectors over channels are full enough
constexpr std::int64_t kMaxPatches = std::int64_t{1} << 26;  // elements: 256 MiB

std::int64_t patch_lanes(const ConvGeometry& g) {
  return g.in_channels * g.taps();
}

BlockProduct product_of(const ConvGeometry& g) {
  const std::int64_t O = g.out_volume();
  BlockProduct p;
  p.a = lanes_of_channels(g.out_channels, O);
  p.b = lanes_of_channels(patch_lanes(g), O);
  p.a.live_blocks = p.b.live_blocks = number_live_outputs(g, {});
  p.steps = g.batch;
  p.out_blocks = kParts;
  p.row_stride = patch_lanes(g) * kParts;
  p.lane_stride = kParts;
  return p;
}

struct Space {
  std::span<std::int32_t> slot, begin;
  std::span<Segment> segments;
  std::span<float> patches;   // [N, Cin * taps, O]
  std::span<float> partials;  // [Cout, Cin * taps, kParts]

  Space(Carver& carver, const ConvGeometry& g, std::int64_t live)
      : slot(carver.take<std::int32_t>(g.out_volume())),
        begin(carver.take<std::int32_t>(kParts + 1)),
        segments(carver.take<Segment>(live)),
        patches(carver.take<float>(g.batch * patch_lanes(g) * g.out_volume())),
        partials(carver.take<float>(g.out_channels * patch_lanes(g) * kParts)) {}
};

// One row of patches: what tap t sees of a channel, zero in the padding.
void unfold(const ConvGeometry& g, std::int64_t t, const float* x, float* row) {
  const Triple out = g.out();
  const std::int64_t td = t / (g.kernel[1] * g.kernel[2]), th = t / g.kernel[2] % g.kernel[1],
                     tw = t % g.kernel[2];
  // Positions ow in [first, last) see data: 0 <= ow * stride - padding + tw < in.
  const std::int64_t past = g.padding[2] - tw, stride = g.stride[2];
  const std::int64_t first = std::clamp<std::int64_t>((past + stride - 1) / stride, 0, out[2]);
  const std::int64_t last =
      g.in[2] + past <= 0 ? first : std::clamp((g.in[2] + past + stride - 1) / stride, first, out[2]);
  for (std::int64_t od = 0; od < out[0]; ++od) {
    const std::int64_t d = od * g.stride[0] - g.padding[0] + td;
    for (std::int64_t oh = 0; oh < out[1]; ++oh, row += out[2]) {
      const std::int64_t h = oh * g.stride[1] - g.padding[1] + th;
      const bool outside = d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1];
      const std::int64_t begin = outside ? out[2] : first, end = outside ? out[2] : last;
      const std::int64_t line = (d * g.in[1] + h) * g.in[2] - past;
      std::fill(row, row + begin, 0.0f);
      for (std::int64_t ow = begin; ow < end; ++ow) row[ow] = x[line + ow * stride];
      std::fill(row + end, row + out[2], 0.0f);
    }
  }
}

void wgrad(const ConvWgrad& op, Buffers b, void* workspace, Stream&) {  // x, dy -> dw
  const ConvGeometry& g = op.geometry;
  const float* x = static_cast<const float*>(b[0]);
  float* dw = static_cast<float*>(b[2]);  // [Cout, Cin, taps]
  BlockProduct p = product_of(g);
  const std::int64_t live = p.a.live_blocks, lanes = patch_lanes(g);
  Carver carver(workspace);
  const Space space(carver, g, live);

  parallel_for(g.batch * lanes, [&](std::int64_t i) {
    const float* channel = x + i / g.taps() * g.in_volume();  // i / taps = sample * Cin + channel
    unfold(g, i % g.taps(), channel, space.patches.data() + i * g.out_volume());
  });
  number_live_outputs(g, space.slot);
  for (std::int64_t part = 0; part <= kParts; ++part) {
    space.begin[static_cast<std::size_t>(part)] = static_cast<std::int32_t>(part * live / kParts);
  }
  for (std::size_t o = 0; o < space.segments.size(); ++o) {
    space.segments[o] = {static_cast<std::int32_t>(o), static_cast<std::int32_t>(o)};
  }
  p.a.data = static_cast<const float*>(b[1]);
  p.b.data = space.patches.data();
  p.a.slot = p.b.slot = space.slot.data();
  p.out = space.partials.data();
  p.begin = space.begin.data();
  p.segments = space.segments.data();
  block_product(p, carver.rest());

  parallel_chunks(g.out_channels * lanes, 512, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* parts = space.partials.data() + i * kParts;
      float sum = 0.0f;
      for (std::int64_t part = 0; part < kParts; ++part) sum += parts[part];
      dw[i] = sum;
    }
  });
}

std::size_t wgrad_workspace(const ConvWgrad& op) {
  const BlockProduct p = product_of(op.geometry);
  Carver carver(nullptr);
  const Space space(carver, op.geometry, p.a.live_blocks);
  return carver.used() + block_product_bytes(p);
}

std::string wgrad_declines(const ConvWgrad& op) {
  const ConvGeometry& g = op.geometry;
  if (g.in_channels > kMaxChannels) return "more than 8 input channels";
  if (g.taps() == 1) return "a single tap: there is nothing to unfold";
  if (g.batch * patch_lanes(g) * g.out_volume() > kMaxPatches)
    return "the unfolded input would exceed 256 MiB";
  return {};
}

}  // namespace

Kernel conv_wgrad_cpu_2_patches() {
  return make_kernel<ConvWgrad, wgrad, wgrad_declines, wgrad_workspace>("conv_wgrad", "cpu_2_patches",
                                                                        DType::kF32);
}

}  // namespace umbra
