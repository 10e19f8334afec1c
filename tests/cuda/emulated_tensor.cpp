// What the tensor rungs choose before a kernel starts: the order of positions, the shapes of tiles, packed
// operands. (The gauntlet tests the kernels.)
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/base/error.h"
#include "engine/cuda/tile/tensor_slices.h"
#include "engine/ops/conv/cuda_tensor_products.h"
#include "engine/ops/conv/shapes.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

constexpr void* kNothing = nullptr;

TensorProduct fprop(const ConvGeometry& g, Precision precision = Precision::kBf16) {
  return conv_fprop_product(g, precision, DType::kF32, kNothing, kNothing, kNothing);
}
TensorProduct dgrad(const ConvGeometry& g) {
  return conv_dgrad_product(g, Precision::kBf16, DType::kF32, kNothing, kNothing, kNothing);
}

// (position, tap) products of all pairs in the order of a walk, those for which a tap means padding included.
int executed_pairs(const TensorWalk& walk) {
  const TapBox live = walk.map.live();
  const auto touches = [&](int position, int t) {
    const Place tap = live.at(t);
    return (walk.adjoint ? walk.map.output_of(walk.map.input_place(position), tap)
                         : walk.map.input_of(walk.map.output_place(position), tap)) >= 0;
  };
  int count = 0;
  for (int u = 0; u < walk.units(); u += 2) {
    const int a = walk.position(u), b = u + 1 < walk.units() ? walk.position(u + 1) : a;
    for (int t = 0; t < live.count(); ++t) count += touches(a, t) || touches(b, t) ? 2 : 0;
  }
  return count;
}

void expect_permutation(const TensorWalk& walk) {
  std::set<int> seen;
  for (int u = 0; u < walk.units(); u += walk.blocks) seen.insert(walk.position(u));
  EXPECT_EQ(static_cast<int>(seen.size()), walk.positions);
  EXPECT_EQ(*seen.begin(), 0);
  EXPECT_EQ(*seen.rbegin(), walk.positions - 1);
}

// The figures of the design: at most 3.2 % of layer1's multiplications are with padding.
TEST(TensorProduct, PairsPositionsWithTheSameTaps) {
  const TensorProduct same = fprop(conv_on_cube(32, 200, 200, 4, 3, 1, 1));
  EXPECT_EQ(same.live, 1000);
  EXPECT_EQ(executed_pairs(same.walk), 1032);
  expect_permutation(same.walk);
  const TensorProduct halves = fprop(conv_on_cube(32, 200, 200, 8, 3, 2, 1));
  EXPECT_EQ(halves.live, 1331);
  EXPECT_LE(executed_pairs(halves.walk), 1357);  // 1.9 %
  expect_permutation(halves.walk);
  const TensorProduct gradient = dgrad(conv_on_cube(32, 200, 200, 8, 3, 2, 1));
  EXPECT_EQ(gradient.live, 1331);
  EXPECT_LE(executed_pairs(gradient.walk), 1341);  // 0.7 %
  expect_permutation(gradient.walk);
}

TEST(TensorProduct, BlocksOfSamplesPairWithinAPosition) {
  const TensorProduct two = fprop(conv_on_cube(64, 20, 20, 4, 3, 1, 1));
  EXPECT_TRUE(two.walk.order.natural);
  EXPECT_EQ(two.live, 2 * 1000);
  EXPECT_EQ(executed_pairs(two.walk), 2 * 1000);
}

TEST(TensorProduct, TakesTheShapeThatWastesLeast) {
  const auto shape = [](const TensorProduct& product) {
    return plan_tensor_product(product, TensorRung::kSpecialised).shape;
  };
  EXPECT_EQ(shape(fprop(conv_on_cube(32, 200, 200, 4, 3, 1, 1))), TensorShape::kRows200);
  EXPECT_EQ(shape(fprop(conv_on_cube(32, 400, 400, 2, 3, 1, 1))), TensorShape::kRows64);
  EXPECT_EQ(shape(fprop(conv_on_cube(32, 2048, 2048, 2, 3, 1, 1))), TensorShape::kUnits8);
  EXPECT_EQ(shape(fprop(conv_on_cube(32, 800, 800, 1, 3, 1, 1))), TensorShape::kUnits1);
  EXPECT_EQ(shape(fprop(conv_on_cube(32, 64, 64, 32, 3, 1, 1))), TensorShape::kRows64);
  EXPECT_EQ(shape(fprop(conv_on_cube(8192, 8192, 8192, 1, 1, 1, 0))), TensorShape::kRows256);
}

TEST(TensorProduct, CutsSumsOfFewTilesIntoParts) {
  for (const TensorRung rung :
       {TensorRung::kWgmma, TensorRung::kTma, TensorRung::kSpecialised, TensorRung::kCluster}) {
    for (const TensorProduct& product :
         {fprop(conv_on_cube(32, 200, 200, 4, 3, 1, 1)), fprop(conv_on_cube(32, 800, 800, 1, 3, 1, 1)),
          dgrad(conv_on_cube(32, 200, 400, 4, 3, 2, 1))}) {
      const TensorPlan plan = plan_tensor_product(product, rung);
      EXPECT_GE(plan.row_tiles * rows_of(plan.shape), product.walk.rows);
      EXPECT_GE(plan.unit_tiles * units_of(plan.shape), product.walk.units());
      EXPECT_GE(plan.parts, 1);
      EXPECT_LE(plan.parts, 8);
    }
    EXPECT_GT(plan_tensor_product(fprop(conv_on_cube(32, 200, 200, 4, 3, 1, 1)), rung).parts, 1);
  }
}

// The producer walks pairs by additions: they must be those that the window map finds by division, from whichever
// pair a part starts.
TEST(TensorProduct, PairsFollowOneAnotherAsTheMapNumbersThem) {
  int rows_and_planes = 0;
  for (const ConvGeometry& g : {conv_on_cube(32, 40, 20, 4, 3, 1, 1), conv_on_cube(5, 33, 20, 5, 3, 2, 1),
                                conv_on_cube(7, 8, 8, 6, 2, 3, 0), conv_on_cube(3, 8, 8, 1, 3, 1, 1),
                                conv_on_cube(2, 9, 8, 7, 1, 2, 0),
                                ConvGeometry{.batch = 3,
                                .in_channels = 5,
                                .out_channels = 4,
                                .in = {5, 3, 4},
                                .kernel = {3, 1, 2},
                                .stride = {1, 2, 3},
                                .padding = {2, 0, 1}}}) {
    const TensorProduct product = conv_wgrad_product(g, Precision::kBf16, kNothing, kNothing, kNothing);
    const TensorWalk& walk = product.walk;
    for (int result = 0; result < walk.taps; ++result) {
      const Place tap = walk.map.live().at(result);
      const Box box = pairs_of(walk.map, tap);
      TensorPairs pairs;
      for (int first = 0; first < box.count(); ++first) {
        pairs.start(walk, result, first, 32);
        for (int pair = first; pair < box.count(); ++pair) {
          const Place at = box.at(pair);
          ASSERT_EQ(pairs.output(), (at.d * walk.map.h.out + at.h) * walk.map.w.out + at.w);
          ASSERT_EQ(pairs.row(), walk.map.input_of(at, tap) * walk.samples + 32);
          pairs.next(false);
          pairs.next(true);
        }
        rows_and_planes += box.w.count() > 1 && box.h.count() > 1 && box.d.count() > 1 ? 1 : 0;
      }
    }
  }
  EXPECT_GT(rows_and_planes, 0);
}

// The first tap touches data only for the second position, whose units are those of the second warpgroup, and the
// last tap only for the first: each warpgroup has many slices without work, after others whose multiplications may
// still run and whose stages the producer fills again.
TEST(TensorProduct, AWarpgroupWithoutWorkReleasesNoStageEarly) {
  const ConvGeometry g{.batch = 64,
                       .in_channels = 640,
                       .out_channels = 64,
                       .in = {1, 1, 2},
                       .kernel = {1, 1, 3},
                       .padding = {0, 0, 1}};
  const auto number = [](std::size_t i) { return static_cast<float>(i * 7 % 17) - 8; };
  std::vector<float> x(2 * 640 * 64), w(3 * 640 * 64), y(2 * 64 * 64), expected(y.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = number(i);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = number(3 * i + 1);
  for (std::size_t o = 0; o < 2; ++o) {
    for (std::size_t in = 0; in < 2; ++in) {
      for (std::size_t c = 0; c < 640; ++c) {
        for (std::size_t j = 0; j < 64; ++j) {
          const float factor = w[((in + 1 - o) * 640 + c) * 64 + j];
          for (std::size_t n = 0; n < 64; ++n)
            expected[(o * 64 + j) * 64 + n] += factor * x[(in * 640 + c) * 64 + n];
        }
      }
    }
  }
  const TensorProduct product =
      conv_fprop_product(g, Precision::kBf16, DType::kF32, x.data(), w.data(), y.data());
  TensorLaunch launched{product, {TensorShape::kRows64, 1, 1, 1, 1, {}}, {}, {}, nullptr};
  launched.w = packed_operand(product.w, product.precision, product.w_transposed);
  launched.x = packed_operand(product.x, product.precision, product.x_transposed);
  std::vector<unsigned char> packed_w(launched.w.bytes()), packed_x(launched.x.bytes());
  pack_operand(product.w, launched.w, packed_w.data(), nullptr);
  pack_operand(product.x, launched.x, packed_x.data(), nullptr);
  launched.w.data = packed_w.data();
  launched.x.data = packed_x.data();
  for (const auto launch : {launch_tensor_specialised, launch_tensor_cluster}) {
    for (int schedule = 0; schedule < 3; ++schedule) {
      cuda_test::set_schedule(schedule);
      y.assign(y.size(), -1);
      launch(launched, nullptr);
      EXPECT_EQ(y, expected) << "schedule " << schedule;
    }
  }
  cuda_test::set_schedule(0);
}

// Without factors a sum is stored as it is: -0, and -0 plus -0, stay -0.
TEST(TensorEpilogue, WithoutFactorsASumKeepsItsBits) {
  float result = 1;
  const float minus_zero = -0.0f, two = 2;
  TensorEpilogue epilogue{.result = &result, .outer_pitch = 1, .row_pitch = 1, .sample_pitch = 1, .rows = 1};
  epilogue.put(0, minus_zero);
  EXPECT_TRUE(result == 0 && std::signbit(result)) << result;
  epilogue.residual = &minus_zero;
  epilogue.put(0, minus_zero);
  EXPECT_TRUE(result == 0 && std::signbit(result)) << result;
  epilogue.residual = &two;
  epilogue.put(0, 3);
  EXPECT_EQ(result, 5);
}

// Packing against plain loops: every number rounded to nearest, in its place, and zeros after each row.
template <class From>
void expect_packed(Precision precision, bool transposed, std::int64_t outer, std::int64_t rows,
                   std::int64_t columns) {
  std::vector<From> source(static_cast<std::size_t>(outer * rows * columns));
  for (std::size_t i = 0; i < source.size(); ++i) {
    source[i] = From(1 + static_cast<float>(i % 4096) * 0x1p-12f + static_cast<float>(i) * 0x1p-20f);
  }
  const OperandSource from{source.data(), dtype_of<From>, outer, rows, columns};
  PackedOperand packed = packed_operand(from, precision, transposed);
  ASSERT_EQ(packed.rows, transposed ? columns : rows);
  std::vector<unsigned char> memory(packed.bytes(), 0xFF);
  if (packed.data == nullptr) {
    pack_operand(from, packed, memory.data(), nullptr);
    packed.data = memory.data();
  }
  const auto number = [&](std::int64_t o, std::int64_t r, std::int64_t c) -> float {
    const auto* const row =
        static_cast<const unsigned char*>(packed.data) + (o * packed.rows + r) * packed.row_bytes();
    if (precision == Precision::kBf16) return reinterpret_cast<const Bf16*>(row)[c];
    return reinterpret_cast<const float*>(row)[c];
  };
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t r = 0; r < packed.rows; ++r) {
      for (std::int64_t c = 0; c < packed.row_bytes() / packed.element_bytes(); ++c) {
        const std::int64_t i = (o * rows + (transposed ? c : r)) * columns + (transposed ? r : c);
        const float want =
            c < packed.columns
                ? rounded_to(precision, static_cast<float>(source[static_cast<std::size_t>(i)]))
                : 0;
        ASSERT_EQ(number(o, r, c), want) << o << ' ' << r << ' ' << c;
      }
    }
  }
}

TEST(PackedOperand, HoldsEveryNumberRoundedToNearest) {
  for (const bool transposed : {false, true}) {
    for (const auto& [outer, rows, columns] : std::vector<std::array<std::int64_t, 3>>{
             {1, 1, 1}, {3, 5, 33}, {2, 33, 20}, {4, 20, 32}, {1, 65, 40}}) {
      SCOPED_TRACE(concat(outer, " x ", rows, " x ", columns, transposed ? " transposed" : ""));
      expect_packed<float>(Precision::kTf32, transposed, outer, rows, columns);
      expect_packed<float>(Precision::kBf16, transposed, outer, rows, columns);
      expect_packed<Bf16>(Precision::kBf16, transposed, outer, rows, columns);
    }
  }
}

TEST(PackedOperand, IsTheSourceWhereItsRowsFit) {
  const std::vector<Bf16> weights(3 * 40);
  const OperandSource fits{weights.data(), DType::kBf16, 1, 3, 40},
      narrow{weights.data(), DType::kBf16, 1, 6, 20};
  EXPECT_EQ(packed_operand(fits, Precision::kBf16, false).data, weights.data());
  EXPECT_EQ(packed_operand(fits, Precision::kBf16, true).data, nullptr);
  EXPECT_EQ(packed_operand(narrow, Precision::kBf16, false).data, nullptr) << "rows of 40 bytes";
}

}  // namespace
}  // namespace umbra
