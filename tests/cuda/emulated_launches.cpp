// The launches of a step as the model of tools/sass sees them: launches are recorded by name instead of executed, and
// the work of blocks on tensor cores adds up to the products.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/base/philox.h"
#include "engine/cuda/emulator/emulator.h"
#include "engine/ops/conv/cuda_tensor_products.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/elementwise/relu.h"
#include "engine/ops/stem/cuda_2_lanes.h"
#include "engine/tensor/context.h"
#include "tests/cuda/function_names.h"
#include "tests/cuda/stem_work.h"
#include "tests/cuda/tensor_work.h"

namespace umbra {
namespace {

using Json = nlohmann::json;
constexpr void* kNothing = nullptr;
alignas(16) constexpr char kWeights[16] = {};  // where packed operands may be

TEST(RecordedLaunches, AreNamedAndNotExecuted) {
  const Device device{Device::Kind::kCuda, 0};
  const Registry registry = make_registry();
  Context context(registry, device);
  const Tensor x = allocate_tensor(device, {300}, DType::kF32),
               y = allocate_tensor(device, {300}, DType::kF32);
  from_host(std::vector<double>(300, 1.0), x, context.stream);
  from_host(std::vector<double>(300, 7.0), y, context.stream);
  const cuda_test::FunctionNames names;
  std::vector<std::string> seen;
  unsigned threads = 0;
  emulator::record_launches([&](const emulator::Launch& launch) {
    seen.push_back(names.at(launch.kernel));
    threads += launch.blocks.x * launch.threads.x;
  });
  call(context, ReluForward(DType::kF32, 300), {x, y});
  emulator::record_launches(nullptr);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_NE(seen[0].find("<umbra::Relu"), std::string::npos) << seen[0];
  EXPECT_GT(threads, 0u);
  EXPECT_EQ(to_host(y, context.stream), std::vector<double>(300, 7.0));
  call(context, ReluForward(DType::kF32, 300), {x, y});
  EXPECT_EQ(to_host(y, context.stream), std::vector<double>(300, 1.0));
}

struct Sum {
  long slices = 0, copies = 0, products = 0, wgmmas = 0, blocks = 0;
  long most = 0;  // wgmmas of a block
  double even() const { return static_cast<double>(wgmmas) / static_cast<double>(blocks * most); }
};
Sum sum_of(const Json& work) {
  Sum sum;
  for (const Json& cluster : work["clusters"]) {
    for (const Json& block : cluster[1]) {
      sum.blocks += cluster[0].get<long>();
      long wgmmas = 0;
      for (const Json& kind : block) {
        const long count = cluster[0].get<long>() * kind[0].get<long>();
        sum.slices += count;
        sum.copies += count * kind[1].get<long>();
        sum.products += count * kind[2].get<long>();
        sum.wgmmas += count * kind[2].get<long>() * kind[3].get<long>();
        wgmmas += kind[0].get<long>() * kind[2].get<long>() * kind[3].get<long>();
      }
      sum.most = std::max(sum.most, wgmmas);
    }
  }
  return sum;
}

// 1,032 pairs of a unit and a tap in layer1's 4 -> 4, two to a product; 200 channels are three slices of 64 and one of 8.
TEST(TensorWork, OfLayer1IsThatOfItsPairs) {
  const ConvGeometry g = conv_on_cube(32, 200, 200, 4, 3, 1, 1);
  const Json work = cuda_test::tensor_work(
      conv_fprop_product(g, Precision::kBf16, DType::kBf16, kNothing, kWeights, kNothing));
  const Sum sum = sum_of(work);
  EXPECT_EQ(sum.products, 1032 / 2 * 4);
  EXPECT_EQ(sum.wgmmas, 1032 / 2 * (3 * 4 + 1));
  EXPECT_GT(sum.blocks, 16);  // tiles of four units
  EXPECT_EQ(work["w"], Json({4, 200 / 64 * 8192 + 8192}));
  EXPECT_EQ(work["x"], Json({4, 4096}));
  EXPECT_EQ(sum.copies, 4 * sum.slices + 1032 * 4);  // W's, and every unit's that is multiplied
  EXPECT_FALSE(work["pairs"].get<bool>());
  EXPECT_EQ(work["packs"],
            Json({{64 * 200 * 32 * 4, 64 * 32 * 200 * 2}}));  // x; bfloat16 weights are read in place
}

// Every tap's pairs of positions for each of two tiles of 128 channels; TF32 packs and doubles the bytes.
TEST(TensorWork, OfAWeightGradientIsThatOfItsPairs) {
  const ConvGeometry g = conv_on_cube(32, 200, 200, 4, 3, 1, 1);
  const Json work =
      cuda_test::tensor_work(conv_wgrad_product(g, Precision::kTf32, kNothing, kNothing, kNothing));
  EXPECT_EQ(sum_of(work).slices, 2 * 1000);
  EXPECT_TRUE(work["pairs"].get<bool>());
  EXPECT_EQ(work["packs"],
            Json({{64 * 200 * 32 * 4, 64 * 200 * 32 * 4}, {64 * 200 * 32 * 4, 64 * 200 * 32 * 4}}));
}

// Of the 132 multiprocessors 112 have work, in one wave of clusters. How even it is, the mean over the most of a block, is
// what plans reach. (If all tiles have equally many parts, with equally many slices, these are 0.56, 0.50 and 0.58, and
// layer2 has 32 blocks.)
TEST(TensorWork, IsEvenInTheUmResnet) {
  for (const Precision precision : {Precision::kBf16, Precision::kTf32}) {
    const auto fprop = [&](std::int64_t channels, std::int64_t extent) {
      return sum_of(
          cuda_test::tensor_work(conv_fprop_product(conv_on_cube(32, channels, channels, extent, 3, 1, 1),
                                                    precision, DType::kF32, kNothing, kNothing, kNothing)));
    };
    const Sum layer1 = fprop(200, 4), layer2 = fprop(400, 2);
    EXPECT_EQ(layer1.blocks, 112);
    EXPECT_GT(layer1.even(), precision == Precision::kBf16 ? 0.63 : 0.66);
    EXPECT_EQ(layer2.blocks, 112);
    EXPECT_GT(layer2.even(), 0.82);
    const Sum gradient = sum_of(cuda_test::tensor_work(
        conv_wgrad_product(conv_on_cube(32, 200, 200, 4, 3, 1, 1), precision, kNothing, kNothing, kNothing)));
    EXPECT_EQ(gradient.blocks, 112);
    EXPECT_GT(gradient.even(), 0.74);
  }
}

StemGeometry stem_of_the_network(std::int64_t channels) {
  return {.batch = 32,
          .in_channels = 1,
          .channels = channels,
          .in = {25, 25, 25},
          .kernel = {3, 3, 3},
          .stride = {2, 2, 2},
          .padding = {3, 3, 3},
          .pool = {3, 3, 3},
          .pool_stride = {2, 2, 2},
          .pool_padding = {1, 1, 1}};
}

// The network's stem at C = 200: 25 tiles of eight channels in two blocks along W and two along D. A warp has a row of 13;
// in the seven planes of a block, of which the first or the last reads one tap less, it takes 20 x 3 rows of filters.
TEST(StemWork, OfTheNetworkIsThatOfItsTiles) {
  const StemGeometry g = stem_of_the_network(200);
  const Json forward = cuda_test::stem_forward_turns(g);
  EXPECT_EQ(forward["pool_tile"], Json({{25 * 2 * 2, 13, 60}}));
  // Four planes of 13 rows for twelve warps, and one plane.
  EXPECT_EQ(forward["sum_products"], Json({{32 * 3, 12, 5}, {32, 12, 2}}));
  EXPECT_EQ(cuda_test::stem_backward_turns(g)["sum_winners"], Json({{8 * 4 * 4, 32, 7}}));
}

// Rounds of 132 blocks times the planes of a block: with more blocks than multiprocessors, fewer and longer ones.
TEST(StemWork, ABlockWalksThroughAsManyPlanesAsTakeTheLeastTime) {
  struct Case {
    std::int64_t channels, planes;
    int deep;
  };
  for (const Case& c : {Case{20, 3, 8}, {100, 5, 4}, {200, 7, 2}}) {
    const StemView v(stem_of_the_network(c.channels));
    const StemPooling plan(v, stem_shared());
    EXPECT_EQ(plan.deep, c.deep) << c.channels;
    EXPECT_EQ(plan.time(v, plan.windows_deep), c.planes) << c.channels;
    EXPECT_EQ(plan.high, 1);
    EXPECT_LE(plan.bytes(v), 160 << 10);
  }
}

constexpr std::int64_t kLittleShared = 99
                                       << 10;  // of a block, on GPUs of compute capability 8.6, 8.9 and 12.0

// The outputs of the pooling and behind them its winners, with blocks of so much shared memory.
std::vector<double> pooled(Context& context, const StemGeometry& g, std::int64_t shared, double poison) {
  const StemView v(g);
  const StemPooling plan(v, shared);
  const StemBoxes boxes(v, plan.windows);
  std::uint64_t number = 0;
  const auto tensor = [&](std::int64_t count, bool random) {
    const Tensor made = allocate_tensor(context.device(), {count}, DType::kF32);
    std::vector<double> values(static_cast<std::size_t>(count), poison);
    for (double& value : values)
      if (random) value = Rng(2018, Purpose::kTest, 9).uniform(number++);
    from_host(values, made, context.stream);
    return made;
  };
  const auto input = [&](std::int64_t count) { return tensor(count, true); };
  const Tensor x = input(g.batch * g.in_channels * g.in_volume()), w = input(g.patch() * g.channels),
               gamma = input(g.channels), beta = input(g.channels), mean = input(g.channels),
               var = input(g.channels), packed = tensor(boxes.floats(), false), y = tensor(g.pooled(), false);
  const Tensor winners = tensor(g.winner_words(), false);
  const auto at = [](const Tensor& t) { return static_cast<float*>(t.data()); };
  auto* winner = static_cast<std::uint8_t*>(winners.data());
  stem_pack_boxes_cuda(v, boxes, at(x), at(packed), context.stream);
  stem_pool_cuda(v, boxes, plan, {at(packed), at(w), at(gamma), at(beta), at(y), winner},
                 {nullptr, nullptr, {1e-5, 0, 0, nullptr, nullptr, nullptr, nullptr}, at(mean), at(var)},
                 context.stream);
  std::vector<double> all = to_host(y, context.stream);
  all.insert(all.end(), winner, winner + g.pooled());
  return all;
}

TEST(StemWork, ABlockHasAsManyRowsAsItsSharedMemoryHolds) {
  for (const std::int64_t channels : {20, 100, 200}) {
    const StemView v(stem_of_the_network(channels));
    const StemPooling plan(v, kLittleShared);
    EXPECT_LE(plan.bytes(v), kLittleShared);
    EXPECT_EQ(plan.high, 2);
    EXPECT_EQ(plan.rows, 9);  // eleven would take 113,568 bytes
  }
  StemGeometry g = stem_of_the_network(3);
  g.batch = 2;
  g.in = {3, 25, 9};
  const Registry registry = make_registry();
  Context context(registry, {Device::Kind::kCuda, 0});
  const std::vector<double> large = pooled(context, g, stem_shared(), 7), none = pooled(context, g, 0, 9);
  EXPECT_EQ(pooled(context, g, kLittleShared, 8), large);
  EXPECT_EQ(none, large);  // a row of windows per block
}

TEST(StemWork, WhatDoesNotFitIsSaid) {
  StemGeometry g = stem_of_the_network(8);
  g.in_channels = 300;
  const std::string why = make_registry().why(Stem3dInference(DType::kF32, g, 1e-5), Device::Kind::kCuda);
  EXPECT_NE(why.find("it needs 289984 bytes of shared memory per block, of which there are 232448"),
            std::string::npos)
      << why;
}

}  // namespace
}  // namespace umbra
