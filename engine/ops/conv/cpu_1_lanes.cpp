// The convolution with samples in the lanes of a vector, one output row at a time, fp32: the simplest use
// of the layouts. Each output is one sum over its list of live taps; nothing is reused in registers, so it
// runs at the speed of loads. A row uses only the channels of its group, so that grouped and depthwise
// convolutions do no more than their useful work. Inference passes each row to its epilogue.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/conv/cpu_1_lanes.cpp"
#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/ops/conv/declines.h"
#include "engine/ops/conv/epilogue.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/taps.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/workspace_allocator.h"

#ifndef UMBRA_ENGINE_OPS_CONV_CPU_1_LANES_ROW
#define UMBRA_ENGINE_OPS_CONV_CPU_1_LANES_ROW
namespace umbra {

// One output row (a channel at a position): its list, and how to find the weights and the source of an entry.
struct ConvLaneRow {
  const TapEntry *begin, *end;
  const float* weights;  // of tap t and step j: weights[t * tap_stride + j * step_stride]
  std::int64_t tap_stride, step_stride;
  const float* source;  // of position i and step j: the samples at source + i * source_stride + j * samples
  std::int64_t source_stride, steps, samples;
};

}  // namespace umbra
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {

// out[n] = sum over entries (t, i) and steps j of weight[t][j] * source[i][j][n]
void conv_lane_row(const ConvLaneRow& row, float* out) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t N = row.samples;
  for (std::int64_t n = 0; n < N; n += lanes) {
    const bool whole = n + lanes <= N;
    auto sum = hn::Zero(d);
    for (const TapEntry* e = row.begin; e != row.end; ++e) {
      const float* weight = row.weights + e->first * row.tap_stride;
      const float* source = row.source + e->second * row.source_stride + n;
      for (std::int64_t j = 0; j < row.steps; ++j, weight += row.step_stride, source += N) {
        const auto x = whole ? hn::LoadU(d, source) : load_some(d, source, N - n);
        sum = hn::MulAdd(hn::Set(d, *weight), x, sum);
      }
    }
    if (whole) hn::StoreU(sum, d, out + n);
    if (!whole) store_some(sum, d, out + n, N - n);
  }
}

// sum over entries (o, i) and samples n of dy[o * dy_stride + n] * x[i * x_stride + n]
float conv_lane_dot(const TapEntry* begin, const TapEntry* end, const float* dy, std::int64_t dy_stride,
                    const float* x, std::int64_t x_stride, std::int64_t samples) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(d);
  for (const TapEntry* e = begin; e != end; ++e) {
    const float *a = dy + e->first * dy_stride, *b = x + e->second * x_stride;
    std::int64_t n = 0;
    for (; n + lanes <= samples; n += lanes) sum = hn::MulAdd(hn::LoadU(d, a + n), hn::LoadU(d, b + n), sum);
    if (n < samples) {
      sum = hn::MulAdd(load_some(d, a + n, samples - n), load_some(d, b + n, samples - n), sum);
    }
  }
  return sum_lanes(d, sum);
}

}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(conv_lane_row);
HWY_EXPORT(conv_lane_dot);

struct Lists {
  std::span<std::int32_t> slots, begin;
  std::span<TapEntry> entries;

  Lists(WorkspaceAllocator& allocator, const ConvGeometry& g, TapOrder order)
      : slots(allocator.take<std::int32_t>(g.taps())),
        begin(allocator.take<std::int32_t>(tap_list_count(g, order) + 1)),
        entries(allocator.take<TapEntry>(g.live_pairs())) {
    if (!entries.empty() || !begin.empty()) write_live_tap_lists(g, order, slots, begin, entries);
  }
  const TapEntry* list(std::int64_t l) const { return entries.data() + begin[static_cast<std::size_t>(l)]; }
};

template <TapOrder kOrder>
std::size_t workspace(const ConvOp& op) {
  WorkspaceAllocator allocator(nullptr);
  const Lists lists(allocator, op.geometry, kOrder);
  return allocator.used();
}
std::size_t inference_workspace(const ConvInference& op) {
  WorkspaceAllocator allocator(nullptr);
  const Lists lists(allocator, op.geometry, TapOrder::kByOutput);
  return allocator.used() + ConvEpilogue::workspace(op);
}

// The output rows of fprop or dgrad.
struct Rows {
  ConvLaneRow first;    // the first row of every place
  std::int64_t places;  // with `rows` rows each
  std::int64_t rows, rows_of_group;
  std::int64_t row_stride, group_stride;  // of the weights, from a row to the next and from group to group
};

Rows fprop_rows(const ConvGeometry& g, const float* x, const float* w) {
  const std::int64_t C = g.in_channels, K = g.out_channels, steps = g.group_inputs();
  return {{nullptr, nullptr, w, steps * K, K, x, C * g.batch, steps, g.batch},
          g.out_volume(),
          K,
          g.group_outputs(),
          1,
          g.group_outputs()};
}
Rows dgrad_rows(const ConvGeometry& g, const float* dy, const float* w) {
  const std::int64_t C = g.in_channels, K = g.out_channels, steps = g.group_outputs();
  return {{nullptr, nullptr, w, g.group_inputs() * K, 1, dy, K * g.batch, steps, g.batch},
          g.in_volume(),
          C,
          g.group_inputs(),
          K,
          g.group_outputs()};
}

// Computes all rows and passes each to `epilogue`, which may be null.
void run_rows(const Lists& lists, const Rows& all, float* out, const TileEpilogue* epilogue = nullptr) {
  const std::int64_t N = all.first.samples;
  parallel_for(all.places, [&](std::int64_t p) {
    for (std::int64_t r = 0; r < all.rows; ++r) {
      const std::int64_t group = r / all.rows_of_group, at = (p * all.rows + r) * N;
      ConvLaneRow row = all.first;
      row.begin = lists.list(p);
      row.end = lists.list(p + 1);
      row.weights += r % all.rows_of_group * all.row_stride + group * all.group_stride;
      row.source += group * row.steps * N;
      HWY_DYNAMIC_DISPATCH(conv_lane_row)(row, out + at);
      if (epilogue != nullptr) epilogue->run({out + at, N, 1, N, at, r});
    }
  });
}

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream&) {  // x, w -> y
  WorkspaceAllocator allocator(workspace);
  const Lists lists(allocator, op.geometry, TapOrder::kByOutput);
  run_rows(lists, fprop_rows(op.geometry, b.in(0), b.in(1)), b.out(2));
}

void inference(const ConvInference& op, Buffers b, void* workspace, Stream&) {
  WorkspaceAllocator allocator(workspace);
  const Lists lists(allocator, op.geometry, TapOrder::kByOutput);
  const ConvEpilogue epilogue(allocator, op, b);
  run_rows(lists, fprop_rows(op.geometry, b.in(0), b.in(1)), b.out(7), &epilogue);
}

void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  WorkspaceAllocator allocator(workspace);
  const Lists lists(allocator, op.geometry, TapOrder::kByInput);
  run_rows(lists, dgrad_rows(op.geometry, b.in(0), b.in(1)), b.out(2));
}

void wgrad(const ConvWgrad& op, Buffers b, void* workspace, Stream&) {  // x, dy -> dw
  const ConvGeometry& g = op.geometry;
  const std::int64_t C = g.in_channels, K = g.out_channels, N = g.batch;
  const std::int64_t inputs = g.group_inputs(), outputs = g.group_outputs();
  WorkspaceAllocator allocator(workspace);
  const Lists lists(allocator, g, TapOrder::kByTap);
  const auto *x = b.in(0), *dy = b.in(1);
  auto* dw = b.out(2);
  parallel_for(g.live_taps() * inputs, [&](std::int64_t row) {
    const std::int64_t t = row / inputs;
    for (std::int64_t k = 0; k < K; ++k) {
      const std::int64_t c = k / outputs * inputs + row % inputs;
      dw[row * K + k] = HWY_DYNAMIC_DISPATCH(conv_lane_dot)(lists.list(t), lists.list(t + 1), dy + k * N,
                                                            K * N, x + c * N, C * N, N);
    }
  });
}

}  // namespace

Kernel conv_fprop_cpu_1_lanes() {
  return make_kernel<ConvFprop, fprop, declines_unless_fp32<ConvOp>, workspace<TapOrder::kByOutput>>();
}
Kernel conv_dgrad_cpu_1_lanes() {
  return make_kernel<ConvDgrad, dgrad, without_addend<declines_unless_fp32<ConvOp>>,
                     workspace<TapOrder::kByInput>>();
}
Kernel conv_wgrad_cpu_1_lanes() {
  return make_kernel<ConvWgrad, wgrad, declines_unless_fp32<ConvOp>, workspace<TapOrder::kByTap>>();
}
Kernel conv_inference_cpu_1_lanes() {
  return make_kernel<ConvInference, inference, declines_unless_fp32<ConvInference>, inference_workspace>();
}

}  // namespace umbra
#endif
