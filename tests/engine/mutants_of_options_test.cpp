// Mutants that mistake an option: the dilation and the groups of a convolution, a gradient to add to, running
// statistics of batch normalisation, the exposure of Poisson counts, dampening and Nesterov's momentum of SGD.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/ops/batch_norm/reference.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/loss/poisson_reference.h"
#include "engine/ops/optim/sgd_reference.h"
#include "tests/engine/mutants.h"

namespace umbra {
namespace {

std::string declines_others(const ConvOp& op) {
  return op.precision == Precision::kF32 && op.geometry.groups > 1 ? "" : "it takes groups in fp32 only";
}
/// Channels k, k + groups, … form a group, instead of neighbours.
void interleaved_groups(const ConvFprop& op, Buffers b, void*, Stream&) {
  const ConvGeometry& g = op.geometry;
  const std::int64_t C = g.in_channels, K = g.out_channels, N = g.batch, inputs = g.group_inputs();
  std::fill_n(b.out(2), g.out_volume() * K * N, 0.0f);
  for_each_live_pair(g, [&](std::int64_t o, std::int64_t t, std::int64_t i) {
    for (std::int64_t e = 0; e < inputs * K * N; ++e) {
      const std::int64_t n = e % N, k = e / N % K, c = e / N / K;
      b.out(2)[(o * K + k) * N + n] +=
          b.in(1)[(t * inputs + c) * K + k] * b.in(0)[(i * C + k % g.groups * inputs + c) * N + n];
    }
  });
}
/// Groups of input channels are taken to be as large as those of outputs.
void groups_of_the_other_side(const ConvDgrad& op, Buffers b, void*, Stream&) {
  const ConvGeometry& g = op.geometry;
  const std::int64_t C = g.in_channels, K = g.out_channels, N = g.batch, inputs = g.group_inputs();
  std::fill_n(b.out(2), g.in_volume() * C * N, 0.0f);
  for_each_live_pair(g, [&](std::int64_t o, std::int64_t t, std::int64_t i) {
    for (std::int64_t e = 0; e < C * K * N; ++e) {
      const std::int64_t n = e % N, k = e / N % K, c = e / N / K;
      if (c / g.group_outputs() != k / g.group_outputs()) continue;
      b.out(2)[(i * C + c) * N + n] +=
          b.in(1)[(t * inputs + c % inputs) * K + k] * b.in(0)[(o * K + k) * N + n];
    }
  });
}
/// The gradient alone, without the one that is to be added to it.
void addend_forgotten(const ConvDgrad& op, Buffers b, void*, Stream&) {
  conv_dgrad_reference(op.geometry, b.in(0), b.in(1), b.out(2));
}
std::string declines_rounded(const ConvOp& op) {
  return op.precision == Precision::kF32 ? "" : "it multiplies in fp32 only";
}
void exposure_not_in_the_gradient(const Poisson& op, Buffers b, void* w, Stream& s) {
  poisson_reference<float>(op, b, w, s);
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) b.out(3)[i] /= static_cast<float>(op.exposure);
}
void phi_for_its_counts(const Poisson& op, Buffers b, void* w, Stream& s) {
  poisson_reference<float>(Poisson(op.dtype, op.rows, op.columns, 1), b, w, s);
}
std::string declines_plain(const ConvOp& op) {
  const bool dilated = op.geometry.dilation != Triple{1, 1, 1} && op.geometry.groups == 1;
  return op.precision == Precision::kF32 && dilated ? "" : "it takes dilation in fp32 only";
}
/// Along H, taps that meet an input are a stride apart, as without dilation, not stride / gcd.
void every_stride_th_tap(const ConvDgrad& op, Buffers b, void*, Stream&) {
  const ConvGeometry& g = op.geometry;
  const std::int64_t C = g.in_channels, K = g.out_channels, N = g.batch, stride = g.stride[1];
  const std::vector<std::int32_t> taps = g.live_tap_list();
  std::fill_n(b.out(2), g.in_volume() * C * N, 0.0f);
  for_each_live_pair(g, [&](std::int64_t o, std::int64_t t, std::int64_t i) {
    const std::int64_t tap = taps[static_cast<std::size_t>(t)] / g.kernel[2] % g.kernel[1];
    const std::int64_t reach = i / g.in[2] % g.in[1] + g.padding[1];
    std::int64_t first = 0;
    while ((reach - first * g.dilation[1]) % stride != 0) ++first;
    if ((tap - first) % stride != 0) return;
    for (std::int64_t e = 0; e < C * K * N; ++e) {
      const std::int64_t n = e % N, k = e / N % K, c = e / N / K;
      b.out(2)[(i * C + c) * N + n] += b.in(1)[(t * C + c) * K + k] * b.in(0)[(o * K + k) * N + n];
    }
  });
}
void epsilon_forgotten(const BatchNormFrozenBackward& op, Buffers b, void* w, Stream& s) {
  BatchNormFrozenBackward without = op;
  without.epsilon = 0;
  batch_norm_frozen_backward_reference<float>(without, b, w, s);
}
/// As if the statistics were the batch's.
void flows_through_the_statistics(const BatchNormFrozenBackward& op, Buffers b, void* w, Stream& s) {
  std::vector<float> invstd;
  for (std::int64_t c = 0; c < op.channels; ++c)
    invstd.push_back(static_cast<float>(1 / std::sqrt(static_cast<double>(b.in(5)[c]) + op.epsilon)));
  std::vector<void*> buffers(b.begin(), b.end());
  buffers[5] = invstd.data();
  batch_norm_backward_reference<float>(
      BatchNormBackward(op.dtype, op.outer, op.channels, op.inner, op.options), buffers, w, s);
}
void first_share_for_all(const SgdStep& op, Buffers b, void* w, Stream& s) {
  SgdStep mistaken = op;
  for (TensorSpec& tensor : mistaken.tensors) tensor.share_at = op.tensors.front().share_at;
  sgd_step_reference<float>(mistaken, b, w, s);
}
void shares_forgotten(const SgdStep& op, Buffers b, void* w, Stream& s) {
  SgdStep mistaken = op;
  mistaken.rule.dampened = false;
  sgd_step_reference<float>(mistaken, b, w, s);
}
void nesterov_forgotten(const SgdStep& op, Buffers b, void* w, Stream& s) {
  SgdStep mistaken = op;
  mistaken.rule.nesterov = false;
  sgd_step_reference<float>(mistaken, b, w, s);
}

TEST(Mutants, InterleavedGroups) {
  expect_caught(make_kernel<ConvFprop, interleaved_groups, declines_others>("interleaved"), "y[");
}
TEST(Mutants, GroupsOfTheOtherSide) {
  expect_caught(make_kernel<ConvDgrad, groups_of_the_other_side, declines_others>("other_side"), "dx[");
}
TEST(Mutants, EveryStrideThTap) {
  expect_caught(make_kernel<ConvDgrad, every_stride_th_tap, declines_plain>("stride_th"), "dx[");
}
TEST(Mutants, AddendForgotten) {
  expect_caught(make_kernel<ConvDgrad, addend_forgotten, declines_rounded>("no_addend"), "dx[");
}
TEST(Mutants, EpsilonForgotten) {
  expect_caught(make_kernel<BatchNormFrozenBackward, epsilon_forgotten>("no_epsilon"), "dx[");
}
TEST(Mutants, FlowsThroughTheStatistics) {
  expect_caught(make_kernel<BatchNormFrozenBackward, flows_through_the_statistics>("flows"), "dx[");
}
TEST(Mutants, ExposureNotInTheGradient) {
  expect_caught(make_kernel<Poisson, exposure_not_in_the_gradient>("no_exposure"), "dp[");
}
TEST(Mutants, PhiForItsCounts) {
  expect_caught(make_kernel<Poisson, phi_for_its_counts>("phi"), "loss[");
}
TEST(Mutants, FirstShareForAll) {
  expect_caught(make_kernel<SgdStep, first_share_for_all>("first_share"), "p[");
}
TEST(Mutants, SharesForgotten) {
  expect_caught(make_kernel<SgdStep, shares_forgotten>("no_shares"), "p[");
}
TEST(Mutants, NesterovForgotten) {
  expect_caught(make_kernel<SgdStep, nesterov_forgotten>("no_nesterov"), "p[");
}

}  // namespace
}  // namespace umbra
