// The bias of a convolution: its definition, and cpu_1_simd: sums per channel in double, groups of samples
// added in index order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/bias.cpp"
#include "engine/ops/elementwise/bias.h"

#include "engine/cpu/simd.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void bias_forward_slab(const ChannelSlab& slab, const float* x, const float* bias, float* y) {
  for_slab(slab, [&](auto d, std::int64_t i, auto channel)
                     HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, x + i), channel(bias)), d, y + i); });
}

/// out: [1, C]
void bias_sums_slab(const ChannelSlab& slab, const float* dy, double* out) {
  channel_sums<1>(slab, dy, 0, out, [&](auto dd, std::int64_t i, auto, auto* acc) HWY_ATTR {
    acc[0] = hn::Add(acc[0], load_wide(dd, dy + i));
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(bias_forward_slab);
HWY_EXPORT(bias_sums_slab);

void forward(const BiasForward& op, Buffers buffers, void*, Stream&) {
  const float* x = buffers.in(0);     // [N, C, S]
  const float* bias = buffers.in(1);  // [C]
  float* y = buffers.out(2);          // [N, C, S]
  const ChannelSplit split(op.batch, op.channels, op.volume);
  parallel_for(split.blocks * split.groups, [&](std::int64_t i) {
    HWY_DYNAMIC_DISPATCH(bias_forward_slab)(split.slab(i / split.groups, i % split.groups), x, bias, y);
  });
}

void backward(const BiasBackward& op, Buffers buffers, void* workspace, Stream&) {
  const float* dy = buffers.in(0);                    // [N, C, S]
  float* dbias = buffers.out(1);                      // [C]
  double* partial = static_cast<double*>(workspace);  // [groups, 1, C]
  const ChannelSplit split(op.batch, op.channels, op.volume);
  split.run(
      [&](const ChannelSlab& slab, std::int64_t group) {
        HWY_DYNAMIC_DISPATCH(bias_sums_slab)(slab, dy, partial + group * op.channels);
      },
      [&](std::int64_t c) { dbias[c] = static_cast<float>(split.total(partial, 1, 0, c)); },
      [](const ChannelSlab&) {});
}

std::size_t backward_workspace(const BiasBackward& op) {
  const ChannelSplit split(op.batch, op.channels, op.volume);
  return static_cast<std::size_t>(split.groups * op.channels) * sizeof(double);
}

Problems backward_problems(DType dtype) {
  Problems problems = problems_of_channels<BiasBackward>(dtype);
  problems.push_back(std::make_unique<BiasBackward>(dtype, 300, 33, 1));  // rows in two ranges
  return problems;
}

}  // namespace

Ladder bias_forward_definition() {
  return define_op<BiasForward, bias_forward_reference<float>, bias_forward_reference<double>>(
      problems_of_channels<BiasForward>);
}
Ladder bias_backward_definition() {
  return define_op<BiasBackward, bias_backward_reference<float>, bias_backward_reference<double>>(
      backward_problems);
}
Kernel bias_forward_cpu_1_simd() {
  return make_kernel<BiasForward, forward>();
}
Kernel bias_backward_cpu_1_simd() {
  return make_kernel<BiasBackward, backward, nullptr, backward_workspace>();
}

}  // namespace umbra
#endif
