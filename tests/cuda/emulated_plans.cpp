// How products on tensor cores are divided among clusters (engine/cuda/tile/tensor_plan.cu): every part once, where its
// share of the work ends. emulated_launches.cpp tests how even the work is, planned_test.cpp the sums.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "engine/base/error.h"
#include "engine/cuda/tile/remembered.h"
#include "engine/ops/conv/cuda_tensor_rung.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/matmul/cuda_tensor_rung.h"
#include "engine/ops/shared/problems.h"
#include "engine/registry/registry.h"
#include "test_paths.h"

namespace umbra {
namespace {

constexpr void* kNothing = nullptr;
constexpr int kMostBlocks = 8;  // of a cluster

TensorProduct fprop(const ConvGeometry& g, Precision precision = Precision::kBf16) {
  return conv_fprop_product(g, precision, DType::kF32, kNothing, kNothing, kNothing);
}
TensorProduct wgrad(const ConvGeometry& g) {
  return conv_wgrad_product(g, Precision::kBf16, kNothing, kNothing, kNothing);
}
TensorProduct matrices(std::int64_t extent) {
  return matrix_product(Precision::kBf16, extent, extent, extent, kNothing);
}

// Every part of every tile is once in the grid, a tile's parts one after the other in one cluster.
void expect_all_parts_once(const TensorPlan& plan) {
  std::map<int, TensorBlock> last;  // of each tile
  for (int column = 0; column < plan.columns(); ++column) {
    for (int row = 0; row < plan.parts; ++row) {
      const TensorBlock block = plan.blocks.at(column, row, plan.parts);
      ASSERT_LE(block.parts, plan.parts);
      ASSERT_TRUE(row > 0 || block.part == 0);
      if (block.part > 0) {
        ASSERT_EQ(last.at(block.tile).part, block.part - 1);
        ASSERT_EQ(last.at(block.tile).parts, block.parts);
        ASSERT_EQ(plan.blocks.at(column, row - 1, plan.parts).tile, block.tile);
      } else {
        ASSERT_FALSE(last.contains(block.tile));
      }
      last[block.tile] = block;
    }
  }
  ASSERT_EQ(static_cast<std::int64_t>(last.size()), plan.tiles());
  for (const auto& [tile, block] : last) ASSERT_EQ(block.part, block.parts - 1) << tile;
}

TEST(TensorPlan, ClustersHaveEveryPartOfEveryTileOnce) {
  int found = 0, uneven = 0;
  for (const TensorProduct& product :
       {fprop(conv_on_cube(32, 200, 200, 4, 3, 1, 1)), wgrad(conv_on_cube(32, 200, 200, 4, 3, 1, 1)),
        fprop(conv_on_cube(32, 400, 400, 2, 3, 1, 1)), fprop(conv_on_cube(32, 800, 800, 1, 3, 1, 1)),
        matrices(1), matrices(1000)}) {
    for (const TensorShape shape : {TensorShape::kRows64, TensorShape::kRows200}) {
      for (int size = 1; size <= kMostBlocks; ++size) {
        for (const int at_once : {0, 1, 5, 16, 132 / size}) {
          SCOPED_TRACE(concat("size ", size, ", at once ", at_once, ", rows ", rows_of(shape)));
          const std::optional<TensorPlan> plan = plan_clusters(product, shape, size, at_once);
          if (!plan) continue;
          ++found;
          EXPECT_EQ(plan->parts, size);
          EXPECT_EQ(plan->shape, shape);
          EXPECT_LE(plan->columns(), 2 * at_once);
          ASSERT_NO_FATAL_FAILURE(expect_all_parts_once(*plan));
          std::set<int> numbers;
          for (int i = 0; i < plan->blocks.count; ++i) numbers.insert(plan->blocks.listed[i].parts);
          uneven += numbers.size() > 1 ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(found, 200);
  EXPECT_GT(uneven, 50);
}

// In layer2 the eight units of a tile have from one to eight units to a tap; a part ends where its share of the clocks
// does, so no two parts differ by more than the longest slice.
TEST(TensorPlan, PartsEndWhereTheirShareOfTheClocksDoes) {
  constexpr int kEntries = 6, kClocks[kEntries] = {400, 1600, 700, 400, 900, 1300};
  for (const int chunks : {1, 2, 7, 400'000}) {  // the last: 2.12e9 clocks
    int all = 0;
    for (const int clocks : kClocks) all += clocks * chunks;
    for (int parts = 1; parts <= kMostBlocks; ++parts) {
      int slices = 0;
      for (int part = 0; part < parts; ++part) {
        const int end = end_of_part(all, part + 1, parts);
        EXPECT_EQ(end, (std::int64_t{all} * (part + 1) + parts - 1) / parts);
        int before = 0;
        int entry = 0, here = 0, until = 0;
        for (const int clocks : kClocks) {
          if (ends_in_entry(end, before, clocks, chunks)) {
            until = entry * chunks + chunks_until(end, before, clocks);
            const int reached = before + clocks * chunks_until(end, before, clocks);
            EXPECT_GE(reached, end);
            EXPECT_LT(reached - end, clocks);
            ++here;
          }
          before += clocks * chunks;
          ++entry;
        }
        EXPECT_EQ(here, 1);
        EXPECT_GE(until, slices);
        slices = until;
      }
      EXPECT_EQ(slices, kEntries * chunks);
    }
  }
}

TEST(TensorPlan, ManyTilesAreOnePartEach) {
  const TensorPlan plan = plan_tensor_product(matrices(8192), TensorRung::kCluster);
  EXPECT_EQ(plan.parts, 1);
  EXPECT_EQ(plan.blocks.count, 0);
  EXPECT_EQ(plan.columns(), plan.tiles());
}

TEST(TensorPlan, FourAndEightNeighboursShareTheirTaps) {
  const TensorProduct product = fprop(conv_on_cube(32, 200, 200, 4, 3, 1, 1));
  const TensorWalk& walk = product.walk;
  const auto taps_of_tiles = [&](int units) {
    int sum = 0;
    for (int u = 0; u < walk.units(); u += units) {
      for (int t = 0; t < walk.map.live().count(); ++t) {
        bool touches = false;
        for (int i = u; i < u + units; ++i)
          touches = touches ||
                    walk.map.input_of(walk.map.output_place(walk.position(i)), walk.map.live().at(t)) >= 0;
        sum += touches ? 1 : 0;
      }
    }
    return sum;
  };
  EXPECT_EQ(taps_of_tiles(4), 274);  // of at least 1,000 / 4
  EXPECT_EQ(taps_of_tiles(8), 159);
}

// Plans and the model of tools/sass count with the same clusters.
TEST(TensorPlan, PlansAndTheModelHaveTheSameClusters) {
  std::ifstream in(UMBRA_SOURCE_DIR "/tools/sass/constants.py");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t start = text.find("\nCLUSTERS = {");
  ASSERT_NE(start, std::string::npos);
  const std::string table = text.substr(start, text.find('}', start) - start);
  std::istringstream entries(table.substr(table.find('{') + 1));
  std::size_t size = 0;
  int at_once = 0, sizes = 0;
  for (char colon, comma; entries >> size >> colon >> at_once; entries >> comma, ++sizes)
    EXPECT_EQ(kClustersAtOnce[size], at_once) << size;
  EXPECT_EQ(sizes, kMostBlocks);
  EXPECT_EQ(std::size(kClustersAtOnce), kMostBlocks + 1U);
}

// Every call of a kernel asks for its plan, which takes longer to find than many kernels take.
TEST(TensorPlan, IsFoundOnce) {
  Remembered<int, int> answers;
  int found = 0;
  for (const int question : {3, 4, 3, 3, 4}) {
    EXPECT_EQ(answers.of(question, [&] { return ++found, question * question; }), question * question);
  }
  EXPECT_EQ(found, 2);
  for (int question = 0; question < 10000; ++question)
    EXPECT_EQ(answers.of(question, [&] { return ++found, question * question; }), question * question);
  EXPECT_EQ(found, 10000);  // of which two were known
}

// A plan that is remembered is that of the same product, rung and precision.
TEST(TensorPlan, IsThatOfTheProduct) {
  const ConvGeometry layer1 = conv_on_cube(32, 200, 200, 4, 3, 1, 1),
                     fewer = conv_on_cube(32, 96, 200, 4, 3, 1, 1);
  for (int i = 0; i < 2; ++i) {
    for (const TensorRung rung : {TensorRung::kWgmma, TensorRung::kSpecialised, TensorRung::kCluster}) {
      for (const TensorProduct& product : {fprop(layer1), fprop(layer1, Precision::kTf32), fprop(fewer),
                                           wgrad(layer1), wgrad(fewer), matrices(1000)}) {
        const TensorPlan plan = plan_tensor_product(product, rung), found = find_tensor_plan(product, rung);
        EXPECT_EQ(plan.shape, found.shape);
        EXPECT_EQ(plan.taps, found.taps);
        EXPECT_EQ(plan.parts, found.parts);
        EXPECT_EQ(plan.tiles(), found.tiles());
        EXPECT_EQ(plan.blocks.count, found.blocks.count);
      }
    }
  }
}

// The shapes of tiles that cuda_7_cluster takes for problems of the gauntlet, by the kind of their operands.
using Shapes = std::set<std::pair<int, TensorShape>>;
template <class O>
void add_shapes(const Ladder& ladder, Shapes& shapes) {
  if (ladder.op != O::kName) return;
  const auto rung = std::find_if(ladder.kernels.begin(), ladder.kernels.end(),
                                 [](const Kernel& kernel) { return kernel.rung == "cuda_7_cluster"; });
  ASSERT_NE(rung, ladder.kernels.end());
  for (const auto& op : ladder.problems(DType::kF32)) {
    if (!rung->declines(*op).empty()) continue;
    constexpr void* kNoBuffers[4] = {};
    const TensorProduct product = tensor_product_of(static_cast<const O&>(*op), kNoBuffers);
    const int kind = product.precision == Precision::kTf32 ? 0
                     : product.walk.pairs                  ? 1
                     : product.w_along_rows                ? 2
                                                           : 3;
    shapes.insert({kind, plan_tensor_product(product, TensorRung::kCluster).shape});
  }
}

// Larger tiles win only with more of them than an emulated run has time for. planned_test.cpp runs them all, without the
// gauntlet's guarded memory.
TEST(TensorPlan, TheGauntletHasAProblemOfTheseShapes) {
  const Registry registry = make_registry();
  Shapes shapes;
  for (const Ladder& ladder : registry.ladders()) {
    add_shapes<ConvFprop>(ladder, shapes);
    add_shapes<ConvDgrad>(ladder, shapes);
    add_shapes<ConvWgrad>(ladder, shapes);
    add_shapes<LinearFprop>(ladder, shapes);
    add_shapes<LinearDgrad>(ladder, shapes);
    add_shapes<LinearWgrad>(ladder, shapes);
  }
  const Shapes missing{{2, TensorShape::kRows128}, {3, TensorShape::kRows128}, {0, TensorShape::kRows200},
                       {2, TensorShape::kRows200}, {3, TensorShape::kRows200}, {0, TensorShape::kRows256},
                       {1, TensorShape::kRows256}, {2, TensorShape::kRows256}, {3, TensorShape::kRows256}};
  for (const TensorShape shape : {TensorShape::kRows64, TensorShape::kRows128, TensorShape::kRows200,
                                  TensorShape::kRows256, TensorShape::kUnits1, TensorShape::kUnits8}) {
    for (int kind = 0; kind < 4; ++kind) {
      const bool exists = (kind != 1 || units_on_m(shape)) && !missing.contains({kind, shape});
      EXPECT_EQ(shapes.contains({kind, shape}), exists)
          << "operands " << kind << ", rows " << rows_of(shape) << ", units " << units_of(shape);
    }
  }
}

}  // namespace
}  // namespace umbra
