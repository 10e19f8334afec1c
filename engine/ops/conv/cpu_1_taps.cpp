// Convolution as a block-sparse product over the live taps, fp32.
//
// Blocks are positions and taps: padding has no entry in the lists, so there is no im2col, no mask and no
// edge code, and dead taps are neither read nor packed. What plays which part (engine/cpu/block_product.h):
//
//   pass    out block        A (broadcast rows)           B (vectors)                   steps
//   fprop   output position  w  [tap][Cin][Cout]          x  [input pos][Cin][sample]   Cin
//   dgrad   input position   w  [tap][Cout][Cin]          dy [output pos][Cout][sample] Cout
//   wgrad   tap              dy [output pos][sample][Cout] x [input pos][sample][Cin]   samples
#include <limits>
#include <span>
#include <string>

#include "engine/cpu/block_product.h"
#include "engine/ops/conv/pass.h"
#include "engine/ops/conv/rungs.h"
#include "engine/ops/conv/taps.h"

namespace umbra {
namespace {

using NumberLive = std::int64_t (*)(const ConvGeometry&, std::span<std::int32_t>);

// A pass: the product without its memory, and how its lists are made.
struct Pass {
  BlockProduct product;
  TapOrder order;
  NumberLive number_a, number_b;
};

Pass fprop_pass(const ConvGeometry& g) {
  const std::int64_t C = g.in_channels, K = g.out_channels, I = g.in_volume(), O = g.out_volume(),
                     T = g.taps();
  Pass pass{{}, TapOrder::kByOutput, number_live_taps, number_live_inputs};
  BlockProduct& p = pass.product;
  p.a = {nullptr, K, T, 0, C * T, T, nullptr};
  p.b = lanes_of_samples(g, C, I);
  p.steps = C;
  p.out_blocks = O;
  p.row_stride = O;
  p.lane_stride = K * O;
  return pass;
}

Pass dgrad_pass(const ConvGeometry& g) {
  const std::int64_t C = g.in_channels, K = g.out_channels, I = g.in_volume(), O = g.out_volume(),
                     T = g.taps();
  Pass pass{{}, TapOrder::kByInput, number_live_taps, number_live_outputs};
  BlockProduct& p = pass.product;
  p.a = {nullptr, C, T, 0, T, C * T, nullptr};
  p.b = lanes_of_samples(g, K, O);
  p.steps = K;
  p.out_blocks = I;
  p.row_stride = I;
  p.lane_stride = C * I;
  return pass;
}

Pass wgrad_pass(const ConvGeometry& g) {
  const std::int64_t C = g.in_channels, K = g.out_channels, I = g.in_volume(), O = g.out_volume(),
                     T = g.taps();
  Pass pass{{}, TapOrder::kByTap, number_live_outputs, number_live_inputs};
  BlockProduct& p = pass.product;
  p.a = lanes_of_channels(K, O);
  p.b = lanes_of_channels(C, I);
  p.steps = g.batch;
  p.out_blocks = T;
  p.row_stride = C * T;
  p.lane_stride = T;
  return pass;
}

// The lists of a pass, in the workspace.
struct Lists {
  std::span<std::int32_t> begin, slot_a, slot_b;
  std::span<TapEntry> entries;
  std::span<Segment> segments;

  Lists(Carver& carver, const ConvGeometry& g, const Pass& pass)
      : begin(carver.take<std::int32_t>(tap_list_count(g, pass.order) + 1)),
        slot_a(carver.take<std::int32_t>(pass.product.a.blocks)),
        slot_b(carver.take<std::int32_t>(pass.product.b.blocks)),
        entries(carver.take<TapEntry>(g.live_pairs())),
        segments(carver.take<Segment>(g.live_pairs())) {}
};

std::size_t workspace_of(const ConvGeometry& g, Pass pass) {
  Carver carver(nullptr);
  const Lists lists(carver, g, pass);
  pass.product.a.live_blocks = pass.number_a(g, {});
  pass.product.b.live_blocks = pass.number_b(g, {});
  return carver.used() + block_product_bytes(pass.product);
}

void run_pass(const ConvGeometry& g, Pass pass, const void* a, const void* b, void* out, void* workspace) {
  Carver carver(workspace);
  const Lists lists(carver, g, pass);
  BlockProduct& p = pass.product;
  p.a.live_blocks = pass.number_a(g, lists.slot_a);
  p.b.live_blocks = pass.number_b(g, lists.slot_b);
  write_tap_lists(g, pass.order, lists.begin, lists.entries);
  for (std::size_t e = 0; e < lists.entries.size(); ++e) {
    const auto [first, second] = lists.entries[e];
    lists.segments[e] = {lists.slot_a[static_cast<std::size_t>(first)],
                         lists.slot_b[static_cast<std::size_t>(second)]};
  }
  p.a.data = static_cast<const float*>(a);
  p.a.slot = lists.slot_a.data();
  p.b.data = static_cast<const float*>(b);
  p.b.slot = lists.slot_b.data();
  p.out = static_cast<float*>(out);
  p.begin = lists.begin.data();
  p.segments = lists.segments.data();
  block_product(p, carver.rest());
}

std::string declines(const ConvOp& op) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (op.geometry.live_pairs() > kMost || op.geometry.in_volume() > kMost ||
      op.geometry.out_volume() > kMost) {
    return "the volume has more than 2^31 - 1 positions or live pairs";
  }
  return {};
}

std::string fprop_declines(const ConvFprop& op) {
  return declines(op);
}
std::string dgrad_declines(const ConvDgrad& op) {
  return declines(op);
}
std::string wgrad_declines(const ConvWgrad& op) {
  return declines(op);
}
std::size_t fprop_workspace(const ConvFprop& op) {
  return workspace_of(op.geometry, fprop_pass(op.geometry));
}
std::size_t dgrad_workspace(const ConvDgrad& op) {
  return workspace_of(op.geometry, dgrad_pass(op.geometry));
}
std::size_t wgrad_workspace(const ConvWgrad& op) {
  return workspace_of(op.geometry, wgrad_pass(op.geometry));
}

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream&) {  // x, w -> y
  run_pass(op.geometry, fprop_pass(op.geometry), b[1], b[0], b[2], workspace);
}
void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  run_pass(op.geometry, dgrad_pass(op.geometry), b[1], b[0], b[2], workspace);
}
void wgrad(const ConvWgrad& op, Buffers b, void* workspace, Stream&) {  // x, dy -> dw
  run_pass(op.geometry, wgrad_pass(op.geometry), b[1], b[0], b[2], workspace);
}

}  // namespace

Kernel conv_fprop_cpu_1_taps() {
  return make_kernel<ConvFprop, fprop, fprop_declines, fprop_workspace>("conv_fprop", "cpu_1_taps",
                                                                        DType::kF32);
}
Kernel conv_dgrad_cpu_1_taps() {
  return make_kernel<ConvDgrad, dgrad, dgrad_declines, dgrad_workspace>("conv_dgrad", "cpu_1_taps",
                                                                        DType::kF32);
}
Kernel conv_wgrad_cpu_1_taps() {
  return make_kernel<ConvWgrad, wgrad, wgrad_declines, wgrad_workspace>("conv_wgrad", "cpu_1_taps",
                                                                        DType::kF32);
}

}  // namespace umbra
