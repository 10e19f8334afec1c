// Mutants of particular ops with mistakes that are easy to make there, from an ignored bias to the textbook
// formula of the variance.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "engine/ops/batch_norm/reference.h"
#include "engine/ops/elementwise/bias.h"
#include "engine/ops/elementwise/dropout.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/ops/loss/scale_rows_reference.h"
#include "engine/ops/loss/softmax_cross_entropy_reference.h"
#include "engine/ops/optim/adam_reference.h"
#include "engine/ops/optim/gradient_norm_reference.h"
#include "engine/ops/optim/sgd_reference.h"
#include "engine/ops/pool/average_pool_reference.h"
#include "engine/ops/pool/max_pool_reference.h"
#include "engine/ops/reduce/reference.h"
#include "tests/engine/mutants.h"

namespace umbra {
namespace {

void ignored_bias(const BiasForward& op, Buffers b, void*, Stream&) {
  std::copy_n(b.in(0), op.batch * op.channels * op.volume, b.out(2));
}
void neighbours_bias(const BiasForward& op, Buffers b, void*, Stream&) {
  for (std::int64_t row = 0; row < op.batch * op.channels; ++row) {
    for (std::int64_t s = 0; s < op.volume; ++s) {
      b.out(2)[row * op.volume + s] = b.in(0)[row * op.volume + s] + b.in(1)[(row + 1) % op.channels];
    }
  }
}
void one_term_missing(const BiasBackward& op, Buffers b, void* w, Stream& s) {
  bias_backward_reference<float>(op, b, w, s);
  if (op.volume == 3375) b.out(1)[3] -= b.in(0)[4 * op.volume - 1];  // of 108000 terms
}
void mask_inverted(const Dropout& op, Buffers b, void* w, Stream& s) {
  dropout_reference<float>(op, b, w, s);
  for (std::int64_t i = 0; i < op.count; ++i) b.out(2)[i] = b.out(2)[i] == 0 ? b.in(0)[i] : 0;
}
void mask_not_scaled(const Dropout& op, Buffers b, void* w, Stream& s) {
  dropout_reference<float>(op, b, w, s);
  for (std::int64_t i = 0; i < op.count; ++i) b.out(2)[i] *= static_cast<float>(1 - op.p);
}
void mask_of_the_low_bits(const Dropout& op, Buffers b, void* w, Stream& s) {
  std::int64_t step = *b.in<std::int64_t>(1) & 0xFFFF;
  void* const buffers[] = {b[0], &step, b[2]};
  dropout_reference<float>(op, buffers, w, s);
}
void last_tensor_forgotten(const AdamStep& op, Buffers b, void* w, Stream& s) {
  if (op.tensors.size() < 2) return adam_step_reference<float>(op, b, w, s);
  std::vector<void*> buffers(b.begin(), b.end() - 1 - static_cast<std::ptrdiff_t>(AdamStep::kBuffers));
  buffers.push_back(b.back());
  TensorList tensors = op.tensors;
  tensors.pop_back();
  adam_step_reference<float>(AdamStep(op.dtype, tensors, op.rule), buffers, w, s);
}
void bf16_copy_truncated(const AdamStep& op, Buffers b, void* w, Stream& s) {
  adam_step_reference<float>(op, b, w, s);
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    auto* copy = b.out<Bf16>(AdamStep::kBuffers * k + 4);
    for (std::int64_t i = 0; op.tensors[k].bf16_copy && i < op.tensors[k].count; ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(b.in(AdamStep::kBuffers * k)[i]);
      copy[i].bits = static_cast<std::uint16_t>(bits >> 16);
    }
  }
}
void bf16_copy_of_before(const SgdStep& op, Buffers b, void* w, Stream& s) {
  std::vector<std::vector<Bf16>> before;
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    const float* p = b.in(SgdStep::kBuffers * k);
    before.emplace_back(p, p + (op.tensors[k].bf16_copy ? op.tensors[k].count : 0));
  }
  sgd_step_reference<float>(op, b, w, s);
  for (std::size_t k = 0; k < op.tensors.size(); ++k)
    std::copy(before[k].begin(), before[k].end(), b.out<Bf16>(SgdStep::kBuffers * k + 3));
}
void norm_of_the_largest(const GradientNorm& op, Buffers b, void*, Stream&) {
  double sum = 0;
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    double of_tensor = 0;
    for (std::int64_t i = 0; i < op.tensors[k].count; ++i) {
      of_tensor += static_cast<double>(b.in(k)[i]) * static_cast<double>(b.in(k)[i]);
    }
    sum = std::max(sum, of_tensor);
  }
  *b.out<double>(op.tensors.size()) = std::sqrt(sum);
  b.out(op.tensors.size() + 1)[0] = static_cast<float>(clip_factor(std::sqrt(sum), op.max_norm));
}
void last_of_ties(const MaxPoolForward& op, Buffers b, void* w, Stream& s) {
  max_pool_forward_reference<float>(op, b, w, s);
  const PoolGeometry& g = op.geometry;
  auto* argmax = b.out<std::int32_t>(2);
  for (std::int64_t o = 0; o < g.row() * g.out_volume(); ++o) {
    const PoolRange range = pool_range(g, o / g.row() % g.out(2), 2);
    const std::int64_t line = argmax[o] / g.in[2] * g.in[2];
    for (std::int64_t k = range.begin; k < range.end; ++k) {
      if (b.in(0)[(line + k) * g.row() + o % g.row()] == b.out(1)[o])
        argmax[o] = static_cast<std::int32_t>(line + k);
    }
  }
}
void padding_wins(const MaxPoolForward& op, Buffers b, void* w, Stream& s) {
  max_pool_forward_reference<float>(op, b, w, s);
  const PoolGeometry& g = op.geometry;
  for (std::int64_t cn = 0; cn < g.row(); ++cn) {  // of the first output
    if (g.padding[2] > 0) b.out(1)[cn] = std::max(b.out(1)[cn], 0.0f);
  }
}
void accumulates_not(const MaxPoolBackward& op, Buffers b, void* w, Stream& s) {
  max_pool_backward_reference<float>(op, b, w, s);
  const PoolGeometry& g = op.geometry;
  for (std::int64_t o = 0; o < g.row() * g.out_volume(); ++o)
    b.out(2)[b.in<std::int32_t>(1)[o] * g.row() + o % g.row()] = b.in(0)[o];
}
void padding_counted_never(const AveragePoolForward& op, Buffers b, void* w, Stream& s) {
  average_pool_forward_reference<float>(AveragePoolForward(op.dtype, op.geometry, false), b, w, s);
}
void padding_counted_always(const AveragePoolBackward& op, Buffers b, void* w, Stream& s) {
  average_pool_backward_reference<float>(AveragePoolBackward(op.dtype, op.geometry, true), b, w, s);
}
void taps_without_gaps(const MaxPoolForward& op, Buffers b, void* w, Stream& s) {
  max_pool_forward_reference<float>(op, b, w, s);
  PoolGeometry g = op.geometry;
  g.dilation = {1, 1, 1};
  for (std::int64_t cn = 0; cn < g.row(); ++cn)  // of the first output
    b.out(1)[cn] = b.in(0)[pool_winner(g, b.in(0) + cn, g.row(), 0, 0, 0) * g.row() + cn];
}
/// The op with another rule.
void with_rule(SoftmaxCrossEntropy op, const CrossEntropyRule& rule, Buffers b, void* w, Stream& s) {
  op.rule = rule;
  softmax_cross_entropy_reference<float>(op, b, w, s);
}
void mean_over_all_rows(const SoftmaxCrossEntropy& op, Buffers b, void* w, Stream& s) {
  CrossEntropyRule rule = op.rule;
  if (rule.reduce != Reduce::kMean || rule.class_weights) return with_rule(op, rule, b, w, s);
  rule.reduce = Reduce::kSum;
  with_rule(op, rule, b, w, s);
  b.out(3)[0] /= static_cast<float>(op.rows);
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) b.out(4)[i] /= static_cast<float>(op.rows);
}
void class_weights_forgotten(const SoftmaxCrossEntropy& op, Buffers b, void* w, Stream& s) {
  CrossEntropyRule rule = op.rule;
  rule.class_weights = false;
  with_rule(op, rule, b, w, s);
}
void smoothing_among_the_others(const SoftmaxCrossEntropy& op, Buffers b, void* w, Stream& s) {
  CrossEntropyRule rule = op.rule;  // over K - 1 classes instead of all
  rule.label_smoothing *= static_cast<double>(op.columns) / static_cast<double>(op.columns - 1);
  with_rule(op, op.columns > 1 ? rule : op.rule, b, w, s);
}
void next_rows_factor(const ScaleRows& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i)
    b.out(0)[i] *= b.in(1)[(i / op.columns + 1) % op.rows];
}
void sums_in_float(const Sum& op, Buffers b, void*, Stream&) {
  float sum = 0;
  for (std::int64_t i = 0; i < op.count; ++i) sum += b.in(0)[i];
  *b.out<double>(1) = static_cast<double>(sum);
}
void finds_only_nans(const CountNonfinite& op, Buffers b, void*, Stream&) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < op.count; ++i) count += std::isnan(b.in(0)[i]) ? 1 : 0;
  *b.out<std::int64_t>(1) = count;
}
void scales_twice(const Scale& op, Buffers b, void* w, Stream& s) {
  scale_reference<float>(op, b, w, s);
  scale_reference<float>(op, b, w, s);
}

TEST(Mutants, IgnoredBias) {
  expect_caught(make_kernel<BiasForward, ignored_bias>("ignored"), "y[");
}
TEST(Mutants, NeighboursBias) {
  expect_caught(make_kernel<BiasForward, neighbours_bias>("neighbour"), "y[");
}
TEST(Mutants, OneTermMissing) {
  expect_caught(make_kernel<BiasBackward, one_term_missing>("missing"), "dbias[3]");
}
TEST(Mutants, MaskInverted) {
  expect_caught(make_kernel<Dropout, mask_inverted>("inverted"), "y[");
}
TEST(Mutants, MaskNotScaled) {
  expect_caught(make_kernel<Dropout, mask_not_scaled>("not_scaled"), "y[");
}
TEST(Mutants, MaskOfTheLowBits) {
  expect_caught(make_kernel<Dropout, mask_of_the_low_bits>("low_bits"), "y[");
}
TEST(Mutants, LastTensorForgotten) {
  expect_caught(make_kernel<AdamStep, last_tensor_forgotten>("forgotten"), "p[");
}
TEST(Mutants, Bf16CopyTruncated) {
  expect_caught(make_kernel<AdamStep, bf16_copy_truncated>("bf16_copy_truncated"), "bf16_copy[");
}
TEST(Mutants, Bf16CopyOfBefore) {
  expect_caught(make_kernel<SgdStep, bf16_copy_of_before>("bf16_copy_of_before"), "bf16_copy[");
}
TEST(Mutants, NormOfTheLargest) {
  expect_caught(make_kernel<GradientNorm, norm_of_the_largest>("largest"), "norm[0]");
}
TEST(Mutants, LastOfTies) {
  expect_caught(make_kernel<MaxPoolForward, last_of_ties>("last_of_ties"), "argmax[");
}
TEST(Mutants, PaddingWins) {
  expect_caught(make_kernel<MaxPoolForward, padding_wins>("padding"), "y[");
}
TEST(Mutants, AccumulatesNot) {
  expect_caught(make_kernel<MaxPoolBackward, accumulates_not>("accumulates_not"), "dx[");
}
TEST(Mutants, PaddingCountedNever) {
  expect_caught(make_kernel<AveragePoolForward, padding_counted_never>("never"), "y[");
}
TEST(Mutants, PaddingCountedAlways) {
  expect_caught(make_kernel<AveragePoolBackward, padding_counted_always>("always"), "dx[");
}
TEST(Mutants, TapsWithoutGaps) {
  expect_caught(make_kernel<MaxPoolForward, taps_without_gaps>("no_gaps"), "y[");
}
TEST(Mutants, MeanOverAllRows) {
  expect_caught(make_kernel<SoftmaxCrossEntropy, mean_over_all_rows>("all_rows"), "loss[0]");
}
TEST(Mutants, ClassWeightsForgotten) {
  expect_caught(make_kernel<SoftmaxCrossEntropy, class_weights_forgotten>("no_weights"), "loss[");
}
TEST(Mutants, SmoothingAmongTheOthers) {
  expect_caught(make_kernel<SoftmaxCrossEntropy, smoothing_among_the_others>("others"), "loss[0]");
}
TEST(Mutants, NextRowsFactor) {
  expect_caught(make_kernel<ScaleRows, next_rows_factor>("next"), "x[");
}
TEST(Mutants, SumsInFloat) {
  expect_caught(make_kernel<Sum, sums_in_float>("in_float"), "s[0]");
}
TEST(Mutants, FindsOnlyNans) {
  expect_caught(make_kernel<CountNonfinite, finds_only_nans>("only_nans"), "n[0]");
}
TEST(Mutants, ScalesTwice) {
  expect_caught(make_kernel<Scale, scales_twice>("twice"), "x[");
}

// ---- batch normalisation

/// The variance as E[x^2] - E[x]^2 in float, the usual first attempt.
void textbook_variance(const BatchNormForward& op, Buffers b, void* w, Stream& s) {
  batch_norm_forward_reference<float>(op, b, w, s);
  const auto count = static_cast<float>(op.count_per_channel());
  for (std::int64_t c = 0; c < op.channels; ++c) {
    float sum = 0, squares = 0;
    for_channel(op, c, [&](std::int64_t i) {
      sum += b.in(0)[i];
      squares += b.in(0)[i] * b.in(0)[i];
    });
    const float mean = sum / count, var = std::max(0.0f, squares / count - mean * mean);
    b.out(8)[c] = 1 / std::sqrt(var + static_cast<float>(op.epsilon));
  }
}
void biased_running_var(const BatchNormForward& op, Buffers b, void* w, Stream& s) {
  const std::vector<float> before(b.in(4), b.in(4) + op.channels);
  batch_norm_forward_reference<float>(op, b, w, s);
  const double count = static_cast<double>(op.count_per_channel());
  for (std::int64_t c = 0; c < op.channels; ++c) {
    const double kept = 0.9 * static_cast<double>(before[static_cast<std::size_t>(c)]);
    b.out(4)[c] = static_cast<float>(kept + (static_cast<double>(b.out(4)[c]) - kept) * (count - 1) / count);
  }
}
void running_mean_forgotten(const BatchNormForward& op, Buffers b, void* w, Stream& s) {
  const std::vector<float> before(b.in(3), b.in(3) + op.channels);
  batch_norm_forward_reference<float>(op, b, w, s);
  std::copy(before.begin(), before.end(), b.out(3));
}
void residual_forgotten(const BatchNormForward& op, Buffers b, void* w, Stream& s) {
  BatchNormForward without = op;
  without.options.residual = false;
  batch_norm_forward_reference<float>(without, b, w, s);
}
void gate_forgotten(const BatchNormBackward& op, Buffers b, void* w, Stream& s) {
  BatchNormBackward without = op;
  without.options.relu = false;
  batch_norm_backward_reference<float>(without, b, w, s);
}

TEST(Mutants, ResidualForgotten) {
  expect_caught(make_kernel<BatchNormForward, residual_forgotten, needs_two_values>("forgotten"), "y[");
}
TEST(Mutants, GateForgotten) {
  expect_caught(make_kernel<BatchNormBackward, gate_forgotten, needs_a_value>("no_gate"), "dx[");
}
TEST(Mutants, TextbookVariance) {
  expect_caught(make_kernel<BatchNormForward, textbook_variance, needs_two_values>("textbook"), "invstd[");
}
TEST(Mutants, BiasedRunningVar) {
  expect_caught(make_kernel<BatchNormForward, biased_running_var, needs_two_values>("biased"),
                "running_var[");
}
TEST(Mutants, RunningMeanForgotten) {
  expect_caught(make_kernel<BatchNormForward, running_mean_forgotten, needs_two_values>("forgotten"),
                "running_mean[");
}

}  // namespace
}  // namespace umbra
