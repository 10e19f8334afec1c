// Mutants of ops along axes and of functions of single numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/ops/data_movement/concatenate_reference.h"
#include "engine/ops/elementwise/exp.h"
#include "engine/ops/elementwise/mul.h"
#include "engine/ops/elementwise/sigmoid.h"
#include "engine/ops/elementwise/tanh.h"
#include "engine/ops/elementwise/to_labels.h"
#include "engine/ops/reduce/reduce_axes_reference.h"
#include "engine/ops/softmax/reference.h"
#include "tests/engine/mutants.h"

namespace umbra {
namespace {

void sigmoid_as_one_writes_it(const SigmoidForward& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) b.out(1)[i] = std::exp(b.in(0)[i]) / (1 + std::exp(b.in(0)[i]));
}
void power_of_a_product(const Exp& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) b.out(1)[i] = std::pow(1 + b.in(0)[i] / 4096, 4096.0f);
}
void power_of_two_in_float(const Exp& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) b.out(1)[i] = std::exp2(b.in(0)[i] * 1.4427f);
}
void to_the_nearest(const ToLabels& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i)
    b.out<std::int32_t>(1)[i] = static_cast<std::int32_t>(std::lround(b.in(0)[i]));
}
void slope_of_the_input(const SigmoidBackward& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    const float y = 1 / (1 + std::exp(-b.in(1)[i]));
    b.out(2)[i] = b.in(0)[i] * y * (1 - y);
  }
}
void tanh_as_one_writes_it(const TanhForward& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    const float power = std::exp(2 * b.in(0)[i]);
    b.out(1)[i] = (power - 1) / (power + 1);
  }
}
void slope_of_the_sigmoid(const TanhBackward& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) b.out(2)[i] = b.in(0)[i] * b.in(1)[i] * (1 - b.in(1)[i]);
}
void square_of_the_first(const Mul& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) b.out(2)[i] = b.in(0)[i] * b.in(0)[i];
}
void sum_of_powers_in_float(const SoftmaxForward& op, Buffers b, void* w, Stream& s) {
  softmax_forward_reference<float>(op, b, w, s);
  for (std::int64_t row = 0; !op.log && row < op.rows() && op.extent > 0; ++row) {
    const float* x = b.in(0) + op.first(row);
    const std::int64_t end = op.extent * op.inner;
    float largest = x[0], sum = 0;
    for (std::int64_t i = 0; i < end; i += op.inner) largest = std::max(largest, x[i]);
    for (std::int64_t i = 0; i < end; i += op.inner) sum += std::exp(x[i] - largest);
    for (std::int64_t i = 0; i < end; i += op.inner)
      b.out(1)[op.first(row) + i] = std::exp(x[i] - largest) / sum;
  }
}
void maximum_not_subtracted(const SoftmaxForward& op, Buffers b, void* w, Stream& s) {
  softmax_forward_reference<float>(op, b, w, s);
  for (std::int64_t row = 0; !op.log && row < op.rows() && op.extent > 0; ++row) {
    double sum = 0;
    for (std::int64_t k = 0; k < op.extent; ++k)
      sum += std::exp(static_cast<double>(b.in(0)[op.first(row) + k * op.inner]));
    for (std::int64_t k = 0; k < op.extent; ++k) {
      const std::int64_t at = op.first(row) + k * op.inner;
      b.out(1)[at] = static_cast<float>(std::exp(static_cast<double>(b.in(0)[at])) / sum);
    }
  }
}
void along_the_other_axis(const SoftmaxForward& op, Buffers b, void* w, Stream& s) {
  softmax_forward_reference<float>(SoftmaxForward(op.dtype, op.outer * op.extent, op.inner, 1, op.log), b, w,
                                   s);
}
void probability_for_its_logarithm(const SoftmaxBackward& op, Buffers b, void* w, Stream& s) {
  softmax_backward_reference<float>(SoftmaxBackward(op.dtype, op.outer, op.extent, op.inner, false), b, w, s);
}
void divided_by_the_outputs(const ReduceAxesForward& op, Buffers b, void* w, Stream& s) {
  reduce_axes_forward_reference<float>(op, b, w, s);
  if (op.how != AxisReduction::kMean) return;
  for (std::int64_t o = 0; o < op.geometry.outputs(); ++o)
    b.out(1)[o] *= static_cast<float>(op.divisor()) / static_cast<float>(op.geometry.outputs());
}
void last_run_forgotten(const ReduceAxesForward& op, Buffers b, void* w, Stream& s) {
  reduce_axes_forward_reference<float>(op, b, w, s);
  const AxesIndex index(op.geometry);
  if (op.how != AxisReduction::kSum || op.geometry.terms() < 16384) return;
  b.out(1)[0] -= b.in(0)[index.first(0) + index.step(op.geometry.terms() - 1)];
}
void ties_do_not_share(const ReduceAxesBackward& op, Buffers b, void* w, Stream& s) {
  reduce_axes_backward_reference<float>(op, b, w, s);
  const AxesIndex index(op.geometry);
  for (std::int64_t i = 0; picks(op.how) && i < op.geometry.count(); ++i) {
    const std::int64_t o = i / op.geometry.terms();
    float& dx = b.out(3)[index.first(o) + index.step(i % op.geometry.terms())];
    dx = dx != 0 ? b.in(0)[o] : 0;
  }
}
void parts_in_reverse(const Concatenate& op, Buffers b, void* w, Stream& s) {
  std::vector<void*> buffers(b.begin(), b.end());
  std::reverse(buffers.begin(), buffers.end() - 1);
  std::vector<std::int64_t> extents(op.extents.rbegin(), op.extents.rend());
  concatenate_reference<float>(Concatenate(op.dtype, op.outer, extents, op.inner), buffers, w, s);
}
void last_part_unwritten(const Split& op, Buffers b, void*, Stream&) {
  const std::size_t last = op.extents.size() - 1;
  for_copies(op, b, [&](const RowCopy& c) {
    for (std::int64_t i = 0; i < c.count && c.to != b.out(last + 1); ++i)
      c.to[i / c.row * c.to_stride + i % c.row] = c.from[i / c.row * c.from_stride + i % c.row];
  });
}

TEST(Mutants, SigmoidThatOverflows) {
  expect_caught(make_kernel<SigmoidForward, sigmoid_as_one_writes_it>("overflows"), "y[");
}
TEST(Mutants, ExpAsAPowerOfAProduct) {
  expect_caught(make_kernel<Exp, power_of_a_product>("product"), "y[");
}
TEST(Mutants, ExpWithAShortLogarithm) {
  expect_caught(make_kernel<Exp, power_of_two_in_float>("exp2"), "y[");
}
TEST(Mutants, LabelsRoundedToTheNearest) {
  expect_caught(make_kernel<ToLabels, to_the_nearest>("nearest"), "y[");
}
TEST(Mutants, SigmoidSlopeOfTheInput) {
  expect_caught(make_kernel<SigmoidBackward, slope_of_the_input>("of_input"), "dx[");
}
TEST(Mutants, TanhThatOverflows) {
  expect_caught(make_kernel<TanhForward, tanh_as_one_writes_it>("overflows"), "y[");
}
TEST(Mutants, TanhSlopeOfTheSigmoid) {
  expect_caught(make_kernel<TanhBackward, slope_of_the_sigmoid>("of_sigmoid"), "dx[");
}
TEST(Mutants, SquareOfTheFirst) {
  expect_caught(make_kernel<Mul, square_of_the_first>("square"), "y[");
}
TEST(Mutants, SoftmaxSumInFloat) {
  expect_caught(make_kernel<SoftmaxForward, sum_of_powers_in_float>("in_float"), "y[");
}
TEST(Mutants, SoftmaxThatOverflows) {
  expect_caught(make_kernel<SoftmaxForward, maximum_not_subtracted>("overflows"), "y[");
}
TEST(Mutants, SoftmaxAlongTheOtherAxis) {
  expect_caught(make_kernel<SoftmaxForward, along_the_other_axis>("other_axis"), "y[");
}
TEST(Mutants, ProbabilityForItsLogarithm) {
  expect_caught(make_kernel<SoftmaxBackward, probability_for_its_logarithm>("no_exp"), "dx[");
}
TEST(Mutants, MeanDividedByTheOutputs) {
  expect_caught(make_kernel<ReduceAxesForward, divided_by_the_outputs>("outputs"), "y[");
}
TEST(Mutants, LastRunForgotten) {
  expect_caught(make_kernel<ReduceAxesForward, last_run_forgotten>("forgotten"), "y[");
}
TEST(Mutants, TiesDoNotShare) {
  expect_caught(make_kernel<ReduceAxesBackward, ties_do_not_share>("no_share"), "dx[");
}
TEST(Mutants, PartsInReverse) {
  expect_caught(make_kernel<Concatenate, parts_in_reverse>("reverse"), "y[");
}
TEST(Mutants, LastPartUnwritten) {
  expect_caught(make_kernel<Split, last_part_unwritten>("unwritten"), "part[");
}

}  // namespace
}  // namespace umbra
