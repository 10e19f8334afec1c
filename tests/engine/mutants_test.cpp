// Who tests the tests: kernels with one deliberate mistake each. The gauntlet must fail every one of them.
#include <gtest/gtest.h>

#include "engine/ops/adam/reference.h"
#include "engine/ops/add/reference.h"
#include "engine/ops/batch_norm/reference.h"
#include "engine/ops/batch_norm_relu/reference.h"
#include "engine/ops/bias/reference.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/dropout/reference.h"
#include "engine/ops/gradient_norm/reference.h"
#include "engine/ops/linear/op.h"
#include "engine/ops/linear/reference.h"
#include "engine/ops/max_pool/reference.h"
#include "engine/ops/reduce/reference.h"
#include "engine/ops/scale/reference.h"
#include "engine/ops/sgd/reference.h"
#include "engine/registry/registry.h"
#include "tests/engine/gauntlet.h"

namespace umbra {
namespace {

const OpFamily& family_of(std::string_view op) {
  static const Registry registry = make_registry();
  for (const OpFamily& family : registry.families()) {
    if (family.op == op) return family;
  }
  fail("no family ", op);
}

gauntlet::Report run(const Kernel& mutant) {
  return gauntlet::run_gauntlet(family_of(mutant.op), mutant);
}

/// The gauntlet must fail the mutant, for the reason that is expected.
void expect_caught(const Kernel& mutant, std::string_view reason) {
  const gauntlet::Report report = run(mutant);
  ASSERT_FALSE(report.failures.empty()) << "the gauntlet lets " << mutant.op << " " << mutant.rung << " pass";
  const std::string& line = report.failures.front();
  EXPECT_NE(line.find(reason), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  for (const char* part : {"fill=", "seed=", "repeat: ", "f32"})
    EXPECT_NE(line.find(part), std::string::npos) << line;
}

template <class O, auto Run>
Kernel mutant(std::string_view op, std::string_view name) {
  return make_kernel<O, Run>(op, name, DType::kF32);
}

float* floats(Buffers buffers, std::size_t i) {
  return static_cast<float*>(buffers[i]);
}

// ---- mistakes in an elementwise op
// ------------------------------------------------------------------------------------

void correct_add(const Add& op, Buffers b, void* w, Stream& s) {
  add_reference<float>(op, b, w, s);
}

void off_by_one(const Add& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    floats(b, 2)[i] = floats(b, 0)[i] + floats(b, 1)[std::min(i + 1, op.count - 1)];
  }
}
void one_wrong_element(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count == 98317) floats(b, 2)[77777] *= 1.00001f;
}
void nan_at_the_end(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 1000) floats(b, 2)[op.count - 1] = std::numeric_limits<float>::quiet_NaN();
}
void all_nan(const Add& op, Buffers b, void*, Stream&) {
  std::fill_n(floats(b, 2), op.count, std::numeric_limits<float>::quiet_NaN());
}
void unwritten_tail(const Add& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count / 16 * 16; ++i) floats(b, 2)[i] = floats(b, 0)[i] + floats(b, 1)[i];
}
void nothing_written(const Add&, Buffers, void*, Stream&) {}
void all_zero(const Add& op, Buffers b, void*, Stream&) {
  std::fill_n(floats(b, 2), op.count, 0.0f);
}
void writes_behind(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count % 16 == 1) floats(b, 2)[op.count] = 0;
}
void writes_before(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 0) floats(b, 2)[-1] = 0;
}
void writes_far_behind(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 0) floats(b, 2)[op.count + 63] = 0;
}
void changes_input(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 0) floats(b, 1)[op.count - 1] += 1;
}
void changes_input_to_negative_zero(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  for (std::int64_t i = 0; i < op.count; ++i)
    floats(b, 0)[i] = floats(b, 0)[i] == 0 ? -0.0f : floats(b, 0)[i];
}
void adds_to_the_output(const Add& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) floats(b, 2)[i] += floats(b, 0)[i] + floats(b, 1)[i];
}
void fills_only_nans(const Add& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    if (std::isnan(floats(b, 2)[i])) floats(b, 2)[i] = floats(b, 0)[i] + floats(b, 1)[i];
  }
}
void last_bit_by_threads(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 0 && omp_get_max_threads() > 2) floats(b, 2)[0] = std::nextafter(floats(b, 2)[0], 1e9f);
}
void last_bit_by_alignment(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  const bool aligned = reinterpret_cast<std::uintptr_t>(b[0]) % 64 == 0;
  if (op.count > 0 && !aligned) floats(b, 2)[0] = std::nextafter(floats(b, 2)[0], 1e9f);
}
void differs_on_every_call(const Add& op, Buffers b, void* w, Stream& s) {
  static int calls = 0;
  correct_add(op, b, w, s);
  if (op.count > 0 && ++calls % 2 == 0) floats(b, 2)[0] = std::nextafter(floats(b, 2)[0], 1e9f);
}
void half_precision(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  for (std::int64_t i = 0; i < op.count; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, floats(b, 2) + i, 4);
    bits &= 0xFFFFE000u;  // the ten fraction bits of a half or a TF32 number
    std::memcpy(floats(b, 2) + i, &bits, 4);
  }
}

TEST(Mutants, CorrectKernelPasses) {
  const gauntlet::Report report = run(mutant<Add, correct_add>("add", "correct"));
  EXPECT_TRUE(report.failures.empty()) << report.failures.front();
  EXPECT_GT(report.problems, 0);
}
TEST(Mutants, OffByOne) {
  expect_caught(mutant<Add, off_by_one>("add", "off_by_one"), "y[0] got");
}
TEST(Mutants, OneWrongElement) {
  expect_caught(mutant<Add, one_wrong_element>("add", "one_wrong_element"), "y[77777] got");
}
TEST(Mutants, NanAtTheEnd) {
  expect_caught(mutant<Add, nan_at_the_end>("add", "nan_at_the_end"), "got nan");
}
TEST(Mutants, AllNan) {
  expect_caught(mutant<Add, all_nan>("add", "all_nan"), "got nan");
}
TEST(Mutants, UnwrittenTail) {
  expect_caught(mutant<Add, unwritten_tail>("add", "unwritten_tail"), "got nan");
}
TEST(Mutants, NothingWritten) {
  expect_caught(mutant<Add, nothing_written>("add", "nothing_written"), "got nan");
}
TEST(Mutants, AllZero) {
  expect_caught(mutant<Add, all_zero>("add", "all_zero"), "got 0");
}
TEST(Mutants, WritesBehind) {
  expect_caught(mutant<Add, writes_behind>("add", "writes_behind"), "outside the buffer y");
}
TEST(Mutants, WritesBefore) {
  expect_caught(mutant<Add, writes_before>("add", "writes_before"), "outside the buffer y");
}
TEST(Mutants, WritesFarBehind) {
  expect_caught(mutant<Add, writes_far_behind>("add", "writes_far_behind"), "outside the buffer y");
}
TEST(Mutants, ChangesInput) {
  expect_caught(mutant<Add, changes_input>("add", "changes_input"), "changed the input b");
}
TEST(Mutants, ChangesInputToNegativeZero) {
  expect_caught(mutant<Add, changes_input_to_negative_zero>("add", "negative_zero"), "changed the input a");
}
TEST(Mutants, AddsToTheOutput) {
  expect_caught(mutant<Add, adds_to_the_output>("add", "adds"), "got nan");
}
TEST(Mutants, SkipsWhatIsNotNan) {
  expect_caught(mutant<Add, fills_only_nans>("add", "only_nans"), "other bits");
}
TEST(Mutants, LastBitByThreads) {
  expect_caught(mutant<Add, last_bit_by_threads>("add", "by_threads"), "threads=3: other bits");
}
TEST(Mutants, LastBitByAlignment) {
  expect_caught(mutant<Add, last_bit_by_alignment>("add", "by_alignment"), "shifted");
}
TEST(Mutants, DiffersOnEveryCall) {
  expect_caught(mutant<Add, differs_on_every_call>("add", "by_call"), "other bits");
}
TEST(Mutants, HalfPrecision) {
  expect_caught(mutant<Add, half_precision>("add", "half_precision"), "got");
}

// ---- mistakes with a workspace
// ----------------------------------------------------------------------------------------

std::size_t sixty_four_bytes(const Add&) {
  return 64;
}

void adds_garbage(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  const float garbage = *static_cast<const float*>(w);
  if (op.count > 0 && garbage > 0)
    floats(b, 2)[0] += garbage;  // a comparison that hides the NaN of the first run
}
void overruns_workspace(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  static_cast<char*>(w)[64] = 1;
}

TEST(Mutants, ReadsUninitialisedWorkspace) {
  expect_caught(make_kernel<Add, adds_garbage, nullptr, sixty_four_bytes>("add", "garbage", DType::kF32),
                "other-garbage");
}
TEST(Mutants, OverrunsWorkspace) {
  expect_caught(
      make_kernel<Add, overruns_workspace, nullptr, sixty_four_bytes>("add", "overrun", DType::kF32),
      "outside its workspace");
}

// ---- mistakes of particular ops
// ---------------------------------------------------------------------------------------

void ignored_bias(const BiasForward& op, Buffers b, void*, Stream&) {
  std::copy_n(floats(b, 0), op.batch * op.channels * op.volume, floats(b, 2));
}
void neighbours_bias(const BiasForward& op, Buffers b, void*, Stream&) {
  for (std::int64_t row = 0; row < op.batch * op.channels; ++row) {
    for (std::int64_t s = 0; s < op.volume; ++s) {
      floats(b, 2)[row * op.volume + s] =
          floats(b, 0)[row * op.volume + s] + floats(b, 1)[(row + 1) % op.channels];
    }
  }
}
void one_term_missing(const BiasBackward& op, Buffers b, void* w, Stream& s) {
  bias_backward_reference<float>(op, b, w, s);
  if (op.volume == 3375) floats(b, 1)[3] -= floats(b, 0)[4 * op.volume - 1];  // of 108000 terms
}
void mask_inverted(const Dropout& op, Buffers b, void* w, Stream& s) {
  dropout_reference<float>(op, b, w, s);
  for (std::int64_t i = 0; i < op.count; ++i) floats(b, 2)[i] = floats(b, 2)[i] == 0 ? floats(b, 0)[i] : 0;
}
void mask_not_scaled(const Dropout& op, Buffers b, void* w, Stream& s) {
  dropout_reference<float>(op, b, w, s);
  for (std::int64_t i = 0; i < op.count; ++i) floats(b, 2)[i] *= static_cast<float>(1 - op.p);
}
void mask_of_the_low_bits(const Dropout& op, Buffers b, void* w, Stream& s) {
  std::int64_t step = *static_cast<const std::int64_t*>(b[1]) & 0xFFFF;
  void* const buffers[] = {b[0], &step, b[2]};
  dropout_reference<float>(op, buffers, w, s);
}
void last_tensor_forgotten(const AdamStep& op, Buffers b, void* w, Stream& s) {
  if (op.parts.size() < 2) return adam_step_reference<float>(op, b, w, s);
  std::vector<void*> buffers(b.begin(), b.end() - 1 - static_cast<std::ptrdiff_t>(AdamStep::kBuffers));
  buffers.push_back(b.back());
  Parts parts = op.parts;
  parts.pop_back();
  adam_step_reference<float>(AdamStep(op.dtype, parts, op.rule), buffers, w, s);
}
void image_truncated(const AdamStep& op, Buffers b, void* w, Stream& s) {
  adam_step_reference<float>(op, b, w, s);
  for (std::size_t k = 0; k < op.parts.size(); ++k) {
    auto* image = static_cast<Bf16*>(b[AdamStep::kBuffers * k + 4]);
    for (std::int64_t i = 0; op.parts[k].image && i < op.parts[k].count; ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(floats(b, AdamStep::kBuffers * k)[i]);
      image[i].bits = static_cast<std::uint16_t>(bits >> 16);
    }
  }
}
void image_of_before(const SgdStep& op, Buffers b, void* w, Stream& s) {
  std::vector<std::vector<Bf16>> before;
  for (std::size_t k = 0; k < op.parts.size(); ++k) {
    const float* p = floats(b, SgdStep::kBuffers * k);
    before.emplace_back(p, p + (op.parts[k].image ? op.parts[k].count : 0));
  }
  sgd_step_reference<float>(op, b, w, s);
  for (std::size_t k = 0; k < op.parts.size(); ++k)
    std::copy(before[k].begin(), before[k].end(), static_cast<Bf16*>(b[SgdStep::kBuffers * k + 3]));
}
void norm_of_the_largest(const GradientNorm& op, Buffers b, void*, Stream&) {
  double sum = 0;
  for (std::size_t k = 0; k < op.parts.size(); ++k) {
    double of_part = 0;
    for (std::int64_t i = 0; i < op.parts[k].count; ++i) {
      of_part += static_cast<double>(floats(b, k)[i]) * static_cast<double>(floats(b, k)[i]);
    }
    sum = std::max(sum, of_part);
  }
  *static_cast<double*>(b[op.parts.size()]) = std::sqrt(sum);
  floats(b, op.parts.size() + 1)[0] = static_cast<float>(clip_factor(std::sqrt(sum), op.max_norm));
}
void last_of_ties(const MaxPoolForward& op, Buffers b, void* w, Stream& s) {
  max_pool_forward_reference<float>(op, b, w, s);
  const PoolGeometry& g = op.geometry;
  auto* argmax = static_cast<std::int32_t*>(b[2]);
  for (std::int64_t o = 0; o < g.row() * g.out_volume(); ++o) {
    const PoolRange range = pool_range(g, o / g.row() % g.out(2), 2);
    const std::int64_t line = argmax[o] / g.in[2] * g.in[2];
    for (std::int64_t k = range.begin; k < range.end; ++k) {
      if (floats(b, 0)[(line + k) * g.row() + o % g.row()] == floats(b, 1)[o])
        argmax[o] = static_cast<std::int32_t>(line + k);
    }
  }
}
void padding_wins(const MaxPoolForward& op, Buffers b, void* w, Stream& s) {
  max_pool_forward_reference<float>(op, b, w, s);
  const PoolGeometry& g = op.geometry;
  for (std::int64_t cn = 0; cn < g.row(); ++cn) {  // of the first output
    if (g.padding[2] > 0) floats(b, 1)[cn] = std::max(floats(b, 1)[cn], 0.0f);
  }
}
void accumulates_not(const MaxPoolBackward& op, Buffers b, void* w, Stream& s) {
  max_pool_backward_reference<float>(op, b, w, s);
  const PoolGeometry& g = op.geometry;
  for (std::int64_t o = 0; o < g.row() * g.out_volume(); ++o)
    floats(b, 2)[static_cast<const std::int32_t*>(b[1])[o] * g.row() + o % g.row()] = floats(b, 0)[o];
}
void sums_in_float(const Sum& op, Buffers b, void*, Stream&) {
  float sum = 0;
  for (std::int64_t i = 0; i < op.count; ++i) sum += floats(b, 0)[i];
  *static_cast<double*>(b[1]) = static_cast<double>(sum);
}
void finds_only_nans(const CountNonfinite& op, Buffers b, void*, Stream&) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < op.count; ++i) count += std::isnan(floats(b, 0)[i]) ? 1 : 0;
  *static_cast<std::int64_t*>(b[1]) = count;
}
void scales_twice(const Scale& op, Buffers b, void* w, Stream& s) {
  scale_reference<float>(op, b, w, s);
  scale_reference<float>(op, b, w, s);
}

/// Batch normalisation from E[x^2] - E[x]^2 in float: what everybody writes first.
void textbook_variance(const BatchNormForward& op, Buffers b, void* w, Stream& s) {
  batch_norm_forward_reference<float>(op, b, w, s);
  const auto count = static_cast<float>(op.batch * op.volume);
  for (std::int64_t c = 0; c < op.channels; ++c) {
    float sum = 0, squares = 0;
    for_channel(op, c, [&](std::int64_t i) {
      sum += floats(b, 0)[i];
      squares += floats(b, 0)[i] * floats(b, 0)[i];
    });
    const float mean = sum / count, var = std::max(0.0f, squares / count - mean * mean);
    floats(b, 7)[c] = 1 / std::sqrt(var + static_cast<float>(op.epsilon));
  }
}
void biased_running_var(const BatchNormForward& op, Buffers b, void* w, Stream& s) {
  const std::vector<float> before(floats(b, 4), floats(b, 4) + op.channels);
  batch_norm_forward_reference<float>(op, b, w, s);
  const double count = static_cast<double>(op.batch * op.volume);
  for (std::int64_t c = 0; c < op.channels; ++c) {
    const double kept = 0.9 * static_cast<double>(before[static_cast<std::size_t>(c)]);
    floats(b, 4)[c] =
        static_cast<float>(kept + (static_cast<double>(floats(b, 4)[c]) - kept) * (count - 1) / count);
  }
}
void running_mean_forgotten(const BatchNormForward& op, Buffers b, void* w, Stream& s) {
  const std::vector<float> before(floats(b, 3), floats(b, 3) + op.channels);
  batch_norm_forward_reference<float>(op, b, w, s);
  std::copy(before.begin(), before.end(), floats(b, 3));
}

void residual_forgotten(const BatchNormReluForward& op, Buffers b, void* w, Stream& s) {
  batch_norm_relu_forward_reference<float>(
      BatchNormReluForward(op.dtype, op.outer, op.channels, op.inner, op.epsilon, op.momentum, false), b, w,
      s);
}
void gate_forgotten(const BatchNormReluBackward& op, Buffers b, void*, Stream& s) {
  if (op.residual) std::copy_n(floats(b, 0), op.count(), floats(b, 9));
  void* const norm[] = {b[0], b[1], b[3], b[4], b[5], b[6], b[7], b[8]};
  batch_norm_backward_reference<float>(BatchNormBackward(op.dtype, op.outer, op.channels, op.inner), norm,
                                       nullptr, s);
}

TEST(Mutants, ResidualForgotten) {
  expect_caught(make_kernel<BatchNormReluForward, residual_forgotten, batch_norm_relu_needs_two>(
                    "batch_norm_relu_forward", "forgotten", DType::kF32),
                "y[");
}
TEST(Mutants, GateForgotten) {
  expect_caught(mutant<BatchNormReluBackward, gate_forgotten>("batch_norm_relu_backward", "no_gate"), "dx[");
}
TEST(Mutants, IgnoredBias) {
  expect_caught(mutant<BiasForward, ignored_bias>("bias_forward", "ignored"), "y[");
}
TEST(Mutants, NeighboursBias) {
  expect_caught(mutant<BiasForward, neighbours_bias>("bias_forward", "neighbour"), "y[");
}
TEST(Mutants, OneTermMissing) {
  expect_caught(mutant<BiasBackward, one_term_missing>("bias_backward", "missing"), "dbias[3]");
}
TEST(Mutants, MaskInverted) {
  expect_caught(mutant<Dropout, mask_inverted>("dropout", "inverted"), "y[");
}
TEST(Mutants, MaskNotScaled) {
  expect_caught(mutant<Dropout, mask_not_scaled>("dropout", "not_scaled"), "y[");
}
TEST(Mutants, MaskOfTheLowBits) {
  expect_caught(mutant<Dropout, mask_of_the_low_bits>("dropout", "low_bits"), "y[");
}
TEST(Mutants, LastTensorForgotten) {
  expect_caught(mutant<AdamStep, last_tensor_forgotten>("adam_step", "forgotten"), "p[");
}
TEST(Mutants, ImageTruncated) {
  expect_caught(mutant<AdamStep, image_truncated>("adam_step", "image_truncated"), "image[");
}
TEST(Mutants, ImageOfBefore) {
  expect_caught(mutant<SgdStep, image_of_before>("sgd_step", "image_of_before"), "image[");
}
TEST(Mutants, NormOfTheLargest) {
  expect_caught(mutant<GradientNorm, norm_of_the_largest>("gradient_norm", "largest"), "norm[0]");
}
TEST(Mutants, LastOfTies) {
  expect_caught(mutant<MaxPoolForward, last_of_ties>("max_pool_forward", "last_of_ties"), "argmax[");
}
TEST(Mutants, PaddingWins) {
  expect_caught(mutant<MaxPoolForward, padding_wins>("max_pool_forward", "padding"), "y[");
}
TEST(Mutants, AccumulatesNot) {
  expect_caught(mutant<MaxPoolBackward, accumulates_not>("max_pool_backward", "accumulates_not"), "dx[");
}
TEST(Mutants, SumsInFloat) {
  expect_caught(mutant<Sum, sums_in_float>("sum", "in_float"), "s[0]");
}
TEST(Mutants, FindsOnlyNans) {
  expect_caught(mutant<CountNonfinite, finds_only_nans>("count_nonfinite", "only_nans"), "n[0]");
}
TEST(Mutants, ScalesTwice) {
  expect_caught(mutant<Scale, scales_twice>("scale", "twice"), "x[");
}
TEST(Mutants, TextbookVariance) {
  expect_caught(mutant<BatchNormForward, textbook_variance>("batch_norm_forward", "textbook"), "invstd[");
}
TEST(Mutants, BiasedRunningVar) {
  expect_caught(mutant<BatchNormForward, biased_running_var>("batch_norm_forward", "biased"), "running_var[");
}
TEST(Mutants, RunningMeanForgotten) {
  expect_caught(mutant<BatchNormForward, running_mean_forgotten>("batch_norm_forward", "forgotten"),
                "running_mean[");
}

// ---- operands rounded otherwise than to nearest (tf32: ties away from zero, bf16: to even)
// -------------------------------------

float truncated_to(int bits, float value) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) >> bits << bits);
}
float tf32_truncated(float value) {
  return truncated_to(13, value);
}
float tf32_ties_to_even(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfff + (bits >> 13 & 1)) >> 13 << 13);
}
float tf32_not_rounded(float value) {
  return value;
}
float tf32_as_bf16(float value) {
  return round_to_bf16(value);
}
float bf16_truncated(float value) {
  return truncated_to(16, value);
}
float bf16_ties_away(float value) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0x8000) >> 16 << 16);
}

template <auto Rounded>
void rounds_otherwise(const ConvFprop& op, Buffers b, void*, Stream&) {
  conv_fprop_reference(op.geometry, floats(b, 0), floats(b, 1), floats(b, 2), Rounded);
}
template <auto Rounded>
void rounds_otherwise(const ConvWgrad& op, Buffers b, void*, Stream&) {
  conv_wgrad_reference(op.geometry, floats(b, 0), floats(b, 1), floats(b, 2), Rounded);
}
template <auto Rounded>
void rounds_otherwise(const LinearDgrad& op, Buffers b, void*, Stream&) {
  linear_dgrad_reference(op.rows, op.in, op.out, floats(b, 0), floats(b, 1), floats(b, 2), Rounded);
}
template <class O, Precision kPrecision>
std::string only(const O& op) {
  return declines_other_precisions(kPrecision, op.precision, op.weights);
}
/// With only the weights rounded correctly, or only the activations, there must be no way through either.
template <auto Rounded>
void rounds_one_operand_otherwise(const ConvFprop& op, Buffers b, void*, Stream&) {
  std::vector<float> w(floats(b, 1), floats(b, 1) + op.buffers()[1].count),
      x(floats(b, 0), floats(b, 0) + op.buffers()[0].count);
  for (float& value : w) value = rounded_to(op.precision, value);
  for (float& value : x) value = Rounded(value);
  conv_fprop_reference(op.geometry, x.data(), w.data(), floats(b, 2));
}

template <class O, Precision kPrecision, auto Run>
void expect_rounding_caught(std::string_view op, std::string_view what) {
  expect_caught(make_kernel<O, Run, only<O, kPrecision>>(op, what, DType::kF32), "got");
}
template <class O, Precision kPrecision, auto Rounded>
void expect_rounding_caught_in(std::string_view op, std::string_view what) {
  constexpr void (*kRun)(const O&, Buffers, void*, Stream&) = rounds_otherwise<Rounded>;
  expect_rounding_caught<O, kPrecision, kRun>(op, what);
}

TEST(Mutants, RoundsOtherwise) {
  constexpr Precision kTf32 = Precision::kTf32, kBf16 = Precision::kBf16;
  expect_rounding_caught_in<ConvFprop, kTf32, tf32_truncated>("conv_fprop", "truncated");
  expect_rounding_caught_in<ConvFprop, kTf32, tf32_ties_to_even>("conv_fprop", "ties_to_even");
  expect_rounding_caught_in<ConvFprop, kTf32, tf32_not_rounded>("conv_fprop", "not_rounded");
  expect_rounding_caught_in<ConvFprop, kTf32, tf32_as_bf16>("conv_fprop", "as_bf16");
  expect_rounding_caught_in<ConvFprop, kBf16, bf16_truncated>("conv_fprop", "bf16_truncated");
  expect_rounding_caught_in<ConvFprop, kBf16, bf16_ties_away>("conv_fprop", "bf16_ties_away");
  expect_rounding_caught_in<ConvWgrad, kTf32, tf32_truncated>("conv_wgrad", "truncated");
  expect_rounding_caught_in<ConvWgrad, kTf32, tf32_ties_to_even>("conv_wgrad", "ties_to_even");
  expect_rounding_caught_in<LinearDgrad, kTf32, tf32_truncated>("linear_dgrad", "truncated");
  expect_rounding_caught_in<LinearDgrad, kTf32, tf32_ties_to_even>("linear_dgrad", "ties_to_even");
  expect_rounding_caught<ConvFprop, kTf32, rounds_one_operand_otherwise<tf32_truncated>>("conv_fprop", "one");
}
// The same kernels, rounding as they should.
TEST(Mutants, CorrectRoundingPasses) {
  constexpr auto kRounded = [](float value) { return round_to_tf32(value); };
  constexpr void (*kRun)(const LinearDgrad&, Buffers, void*, Stream&) = rounds_otherwise<kRounded>;
  const gauntlet::Report report = run(make_kernel<LinearDgrad, kRun, only<LinearDgrad, Precision::kTf32>>(
      "linear_dgrad", "right", DType::kF32));
  EXPECT_TRUE(report.failures.empty()) << report.failures.front();
}

TEST(Mutants, FamilyWithoutReferenceFails) {
  const Kernel kernel = mutant<Add, correct_add>("add", "correct");
  EXPECT_FALSE(gauntlet::run_gauntlet({"add", {kernel}, family_of("add").problems}, kernel).failures.empty());
  EXPECT_FALSE(gauntlet::run_gauntlet({"add", family_of("add").kernels, nullptr}, kernel).failures.empty());
}

}  // namespace
}  // namespace umbra
