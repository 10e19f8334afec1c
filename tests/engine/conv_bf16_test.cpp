// Convolutions with precision bf16: the rounding, the fast rungs against the rounded reference, the size of
// their error, and how the option reaches the op from the context. (The gauntlet runs every shape.)
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/cpu/bf16_tile.h"
#include "engine/cpu/bf16_wide.h"
#include "engine/grad/functions.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/ladder.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using testing_ops::all_kernels;
using testing_ops::call_kernel;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Bf16, RoundsToNearestWithTiesToEven) {
  struct Case {
    float value;
    std::uint32_t bits;
  };
  const Case cases[] = {
      {0.0f, 0x0000},
      {-0.0f, 0x8000},
      {1.0f, 0x3f80},
      {-2.5f, 0xc020},
      {256.0f, 0x4380},
      {255.0f, 0x437f},
      {257.0f, 0x4380},           // a tie: 256 is even, 258 is not
      {259.0f, 0x4382},           // a tie the other way
      {0x1.01p0f, 0x3f80},        // 1 + 2^-8, a tie downwards
      {0x1.03p0f, 0x3f82},        // 1 + 3 2^-8, a tie upwards
      {0x1.010002p0f, 0x3f81},    // one bit more than a tie
      {0x1.02fffep0f, 0x3f81},    // one bit less
      {-0x1.03p0f, 0xbf82},       // symmetric about zero
      {0x1.ffp0f, 0x4000},        // a carry into the exponent
      {0x1.fep127f, 0x7f7f},      // the largest bfloat16
      {0x1.fefffep127f, 0x7f7f},  // the largest float that stays below
      {0x1.ffp127f, 0x7f80},      // from here on infinity
      {-3.4028235e38f, 0xff80},
      {kInfinity, 0x7f80},
      {-kInfinity, 0xff80},
      {0x1p-126f, 0x0080},     // the smallest normal number
      {0x1.fcp-127f, 0x007f},  // the largest denormal bfloat16
      {0x1.ffp-127f, 0x0080},  // a denormal float that becomes normal
      {0x1p-133f, 0x0001},     // the smallest denormal bfloat16
      {0x1p-134f, 0x0000},     // half of it: a tie
      {0x1.8p-134f, 0x0001},
      {0x1p-149f, 0x0000},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(bf16_bits(c.value), c.bits) << c.value;
    EXPECT_EQ(std::bit_cast<std::uint32_t>(round_to_bf16(c.value)), c.bits << 16) << c.value;
    EXPECT_EQ(round_to_bf16(static_cast<double>(c.value)), static_cast<double>(round_to_bf16(c.value)));
  }
  for (const std::uint32_t bits : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffffffffu}) {
    EXPECT_TRUE(std::isnan(round_to_bf16(std::bit_cast<float>(bits)))) << bits;
  }
}

TEST(Bf16, EveryBfloat16IsItsOwnRounding) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = std::bit_cast<float>(bits << 16);
    if (!std::isnan(value)) {
      ASSERT_EQ(bf16_bits(value), bits);
    }
  }
}

/// The tile's packing turns denormals into zero or rounds them.
bool packed_as(std::uint32_t got, float value) {
  const std::uint32_t want = bf16_bits(value);
  const bool denormal = std::abs(value) < std::numeric_limits<float>::min();
  if (std::isnan(value)) return (got & 0x7fff) > 0x7f80;
  return got == want || (denormal && (got & 0x7fff) == 0);
}

TEST(Bf16, PackingRoundsEveryElementAndFillsWithZeros) {
  if (!bf16_tile_supported()) GTEST_SKIP() << "this CPU has no bfloat16 dot product";
  const Rng rng(7, Purpose::kTest);
  std::uint64_t draw = 0;
  for (const std::int64_t rows : {1, 2, 5}) {
    for (const std::int64_t columns : {1, 2, 3, 15, 16, 17, 31, 32, 33, 65}) {
      std::vector<float> from(static_cast<std::size_t>(rows * columns));
      for (float& value : from) value = std::bit_cast<float>(rng.words(draw++)[0]);  // NaN included
      const std::int64_t width = columns + 3, pairs = (columns + 1) / 2;
      std::vector<std::uint32_t> by_rows(static_cast<std::size_t>((rows + 1) / 2 * width), 0xdeadbeef);
      std::vector<std::uint32_t> by_columns(static_cast<std::size_t>(rows * pairs), 0xdeadbeef);
      bf16_pair_rows(from.data(), columns, rows, columns, by_rows.data(), width, width);
      bf16_pair_columns(from.data(), columns, rows, columns, by_columns.data(), pairs);
      const auto at = [&](std::int64_t r, std::int64_t c) {
        return r < rows && c < columns ? from[static_cast<std::size_t>(r * columns + c)] : 0.0f;
      };
      for (std::int64_t r = 0; r < (rows + 1) / 2; ++r) {
        for (std::int64_t c = 0; c < width; ++c) {
          const std::uint32_t word = by_rows[static_cast<std::size_t>(r * width + c)];
          EXPECT_TRUE(packed_as(word & 0xffff, at(2 * r, c)) && packed_as(word >> 16, at(2 * r + 1, c)))
              << rows << "x" << columns << " rows " << r << " " << c;
        }
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t j = 0; j < pairs; ++j) {
          const std::uint32_t word = by_columns[static_cast<std::size_t>(r * pairs + j)];
          EXPECT_TRUE(packed_as(word & 0xffff, at(r, 2 * j)) && packed_as(word >> 16, at(r, 2 * j + 1)))
              << rows << "x" << columns << " columns " << r << " " << j;
        }
      }
    }
  }
}

std::vector<Bf16> rounded(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

std::vector<float> any_floats(std::int64_t count) {  // NaN, infinities and denormals included
  const Rng rng(9, Purpose::kTest);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::bit_cast<float>(rng.words(i)[0]);
  values[0] = kInfinity;
  values[1] = std::numeric_limits<float>::quiet_NaN();
  return values;
}

// Words in the format of bf16_tile, from numbers that are already rounded: this works on any CPU.
TEST(Bf16, PackingOfStoredNumbersKeepsTheirBits) {
  constexpr std::int64_t kRows = 5, kColumns = 37, kWidth = 40;
  const std::vector<Bf16> from = rounded(any_floats(kRows * kColumns));
  if (!bf16_tile_supported()) GTEST_SKIP() << "this CPU has no bfloat16 dot product";
  std::vector<std::uint32_t> words((kRows + 1) / 2 * kWidth, 0xdeadbeef);
  bf16_pair_rows(from.data(), kColumns, kRows, kColumns, words.data(), kWidth, kWidth);
  const auto bits = [&](std::int64_t r, std::int64_t c) -> std::uint32_t {
    return r < kRows && c < kColumns ? from[static_cast<std::size_t>(r * kColumns + c)].bits : 0;
  };
  for (std::int64_t r = 0; r < (kRows + 1) / 2; ++r) {
    for (std::int64_t c = 0; c < kWidth; ++c)
      ASSERT_EQ(words[static_cast<std::size_t>(r * kWidth + c)], bits(2 * r, c) | bits(2 * r + 1, c) << 16);
  }
}

TEST(Bf16, WideRowsAreTheRoundedNumbers) {
  constexpr std::int64_t kRows = 3, kColumns = 37, kWidth = 41;
  const std::vector<float> from = any_floats(kRows * kColumns);
  const std::vector<Bf16> stored = rounded(from);
  std::vector<float> a(kRows * kWidth, 7), b(kRows * kWidth, 7);
  bf16_round_rows(from.data(), kColumns, kRows, kColumns, a.data(), kWidth, kWidth);
  bf16_round_rows(stored.data(), kColumns, kRows, kColumns, b.data(), kWidth, kWidth);
  for (std::int64_t i = 0; i < kRows * kWidth; ++i) {
    const std::int64_t r = i / kWidth, c = i % kWidth;
    const float want = c < kColumns ? round_to_bf16(from[static_cast<std::size_t>(r * kColumns + c)]) : 0.0f;
    const auto at = static_cast<std::size_t>(i);
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(a[at]) && std::isnan(b[at])) << i;
    } else {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(a[at]), std::bit_cast<std::uint32_t>(want)) << i;
      EXPECT_EQ(std::bit_cast<std::uint32_t>(b[at]), std::bit_cast<std::uint32_t>(want)) << i;
    }
  }
}

std::vector<float> normals(std::int64_t count, std::uint64_t stream) {
  const Rng rng(11, Purpose::kTest, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(rng.normal(i));
  return values;
}

std::vector<float> run_chosen(const Op& op, std::string_view rung) {
  const auto specs = op.buffers();
  std::vector<float> a = normals(specs[0].count, 1), b = normals(specs[1].count, 2);
  std::vector<float> out(static_cast<std::size_t>(specs[2].count), std::numeric_limits<float>::quiet_NaN());
  const Kernel& kernel = all_kernels().choose(op, Device::Kind::kCpu);
  EXPECT_EQ(kernel.rung, rung);
  call_kernel(kernel, op, a, b, out);
  return out;
}

double relative_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    squares += difference * difference;
    size += static_cast<double>(a[i]) * static_cast<double>(a[i]);
  }
  return std::sqrt(squares / size);
}

// A rounding to 8 bits moves an operand by 2^-9 at most and 1.7e-3 in the root mean square of evenly spread
// mantissas' sizes; two operands of every product are moved, independently: some 2.3e-3 of the output.
template <class O>
void expect_bf16_error(const ConvGeometry& g) {
  const auto exact = run_chosen(O(DType::kF32, g), "cpu_2_tiles");
  const auto rounded = run_chosen(O(DType::kF32, g, Precision::kBf16), "cpu_6_bf16");
  const double error = relative_distance(exact, rounded);
  EXPECT_GT(error, 1.8e-3) << O(DType::kF32, g).text();
  EXPECT_LT(error, 2.8e-3) << O(DType::kF32, g).text();
}

TEST(ConvBf16, TheErrorIsThatOfRoundingBothOperands) {
  if (!bf16_tile_supported()) GTEST_SKIP() << "this CPU has no bfloat16 dot product";
  for (const ConvGeometry& g : um_resnet_convolutions(32, 10)) {
    if (g.in_channels < 5) continue;
    expect_bf16_error<ConvFprop>(g);
    expect_bf16_error<ConvDgrad>(g);
    expect_bf16_error<ConvWgrad>(g);
  }
}

TEST(ConvBf16, RungsOfOnePrecisionDeclineTheOtherInWords) {
  const ConvGeometry g = conv_on_cube(2, 5, 6, 3, 3, 1, 1);
  const ConvFprop fp32(DType::kF32, g), bf16(DType::kF32, g, Precision::kBf16);
  EXPECT_EQ(bf16.text(), fp32.text() + " bf16");
  EXPECT_NE(conv_fprop_cpu_6_bf16().declines(fp32).find("bf16 only"), std::string::npos);
  EXPECT_NE(conv_fprop_cpu_1_lanes().declines(bf16).find("fp32 only"), std::string::npos);
  EXPECT_NE(conv_fprop_cpu_2_tiles().declines(bf16).find("fp32 only"), std::string::npos);
  EXPECT_EQ(conv_fprop_cpu_1_lanes().declines(fp32), "");
  EXPECT_EQ(conv_fprop_cpu_2_tiles().declines(fp32), "");
  const ConvWgrad few(DType::kF32, conv_on_cube(2, 1, 6, 3, 3, 1, 1), Precision::kBf16);
  EXPECT_NE(conv_wgrad_cpu_3_few_inputs().declines(few).find("fp32 only"), std::string::npos);
}

/// The texts of the convolutions that forward and backward of one layer call.
std::vector<std::string> convolutions_called(Precision precision, std::int64_t in_channels) {
  Context context(all_kernels(), {});
  context.precision = precision;
  std::vector<std::string> called;
  context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
    if (dynamic_cast<const ConvOp*>(&op) != nullptr) called.push_back(op.text());
  };
  const ConvGeometry g = conv_on_cube(2, in_channels, 6, 3, 3, 1, 1);
  const auto variable = [&](Shape shape, const Layout& layout) {
    const Tensor tensor = context.temporary(shape, DType::kF32, layout);
    from_host(std::vector<double>(static_cast<std::size_t>(shape.count()), 1.0), tensor, context.stream);
    Var var = constant(tensor);
    var->needs_grad = true;
    return var;
  };
  const Var x = variable({2, in_channels, 3, 3, 3}, Layout::batch_last());
  const Var w = variable({6, in_channels, 3, 3, 3}, conv_weight_layouts(g).value);
  w->grad_layout = conv_weight_layouts(g).grad;
  Tape tape(context);
  Pass pass{context, &tape};
  const Var y = conv(pass, x, w, {1, 1, 1}, {1, 1, 1});
  const Var flat = flatten(pass, y);
  const Tensor target = context.temporary(flat->value.shape(), DType::kF32);
  from_host(std::vector<double>(static_cast<std::size_t>(target.count()), 0.0), target, context.stream);
  tape.backward(mean_squared_error(pass, flat, target));
  return called;
}

TEST(ConvBf16, TheContextsPrecisionReachesAllThreePasses) {
  if (!bf16_tile_supported()) GTEST_SKIP() << "this CPU has no bfloat16 dot product";
  const std::string text = conv_on_cube(2, 5, 6, 3, 3, 1, 1).text();
  EXPECT_EQ(convolutions_called(Precision::kF32, 5), (std::vector<std::string>(3, text)));
  EXPECT_EQ(convolutions_called(Precision::kBf16, 5), (std::vector<std::string>(3, text + " bf16")));
}

TEST(ConvBf16, AFirstLayerStaysInFp32) {
  const std::string text = conv_on_cube(2, 1, 6, 3, 3, 1, 1).text();
  EXPECT_EQ(convolutions_called(Precision::kBf16, 1), (std::vector<std::string>(3, text)));
}

}  // namespace
}  // namespace umbra
