// Mistakes in protocols between threads, copies and tensor cores: the emulator must reject each with an error
// message; a GPU would give wrong numbers or hang.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "cluster.h"
#include "cuda_grid.h"
#include "engine/base/error.h"
#include "engine/runtime/backend.h"
#include "mbarrier.h"
#include "tests/cuda/kernels/pipeline.h"
#include "tests/cuda/kernels/product.h"
#include "tests/cuda/where.h"
#include "tma.h"
#include "wgmma.h"

namespace umbra::cuda_test {
namespace {

template <class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Under each of the three schedules; either message is correct.
template <class Body>
void expect_error(const std::string& words, const Body& body, const std::string& or_else = "-") {
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    const std::string message = message_of(body);
    const bool told = message.find(words) != std::string::npos || message.find(or_else) != std::string::npos;
    EXPECT_TRUE(told) << "schedule " << schedule << ": " << message << "\ninstead of: " << words;
  }
  set_schedule(0);
}

constexpr int kRows = 64, kK = 5 * kPipeSteps;  // more slices than stages, twice

// c of a product of ones.
template <Mistake kMistake>
std::vector<float> run_pipeline() {
  const std::vector<std::uint16_t> ones(kRows * kK + 8, 0x3f80);
  const auto at = reinterpret_cast<std::uintptr_t>(ones.data()) % 16;
  const std::uint16_t* aligned = ones.data() + (at == 0 ? 0 : (16 - at) / 2);
  std::vector<float> c(kRows * kRows, -1);
  launch_pipeline<kMistake>(aligned, aligned, c.data(), kRows, kRows, kK, nullptr);
  return c;
}
template <Mistake kMistake>
void expect_error(const std::string& words, const std::string& or_else = "-") {
  expect_error(
      words, [] { run_pipeline<kMistake>(); }, or_else);
}

TEST(Mistakes, ThePipelineWithoutAny) {
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    EXPECT_EQ(run_pipeline<Mistake::kNone>(), std::vector<float>(kRows * kRows, kK));
  }
  set_schedule(0);
}

TEST(Mistakes, OfBarriers) {
  expect_error<Mistake::kArrivesTwice>("an arrival too many");
  expect_error<Mistake::kExpectsTooFew>("bytes");
  expect_error<Mistake::kExpectsTooMany>(
      "waits for the phase of parity 0 of the barrier at byte 32768, which is in phase 0: 0 of 1 arrivals "
      "and "
      "16384 bytes are missing, 0 bytes are under way for ever (and 127 more like it)");
  expect_error<Mistake::kWrongParity>(
      "0 of block 0,0,0 waits for the phase of parity 0 of the barrier at byte "
      "32768, which is in phase 0: 1 of 1 arrivals");
  expect_error<Mistake::kWrongParity>(
      "waits for the phase of parity 0 of the barrier at byte 32784, which is in phase 0: 4 of 4 arrivals "
      "and 0 "
      "bytes are missing");
  expect_error<Mistake::kNoInit>("the barrier at byte 32784 is");
  expect_error<Mistake::kNoInit>("before it is initialised");
  expect_error<Mistake::kNoInitFence>("is given a copy without barrier_init_fence()");
  expect_error<Mistake::kNoSyncAfterInit>("before");
}

TEST(Mistakes, OfStages) {
  expect_error<Mistake::kRefillsEarly>("is started before any thread has waited for", "a double arrival");
  expect_error<Mistake::kReleasesEarly>("while a wgmma of warpgroup 0, which reads there, may be under way");
  expect_error<Mistake::kStaleParity>("is started while a wgmma", "is started before");
  expect_error<Mistake::kUnwaitedCopy>("a block ends though no thread has waited for the copy");
  expect_error<Mistake::kOutside>("thread ");
  expect_error<Mistake::kOutside>("lies outside the block's shared memory of 33792 bytes");
  expect_error<Mistake::kMisplacedBox>(
      "a copy to byte 512 of shared memory, which is not a multiple of 1024");
}

__global__ void takes_registers() {
  register_take<232>();
}

// Half a row of the swizzle.
__global__ void has_a_partial_atom() {
  ProductShared& shared = shared_memory<ProductShared>();
  float d[16] = {};
  wgmma_fence(d);
  wgmma<Precision::kBf16, 32, Major::kK, Major::kMN>(
      d, wgmma_descriptor(shared_address(shared.a), 0, 1024, Swizzle::k128),
      wgmma_descriptor(shared_address(shared.b), 8192, 1024, Swizzle::k128), false);
}

TEST(Mistakes, OfWgmmas) {
  expect_error<Mistake::kMisplacedOperand>("operand a of a wgmma starts at byte 512 of shared memory");
  expect_error<Mistake::kOperandOutside>("outside the 33792 bytes of shared memory");
  expect_error<Mistake::kWarpMissing>("of 128 threads have issued");
  expect_error<Mistake::kWarpsDiffer>("the threads of a warpgroup do not issue the same wgmma");
  expect_error<Mistake::kNoWgmmaFence>("for new accumulators without wgmma_fence()");
  expect_error<Mistake::kWritesEarly>("accumulators were written while a wgmma");
  expect_error<Mistake::kNeverWaits>("wgmma");
  expect_error("operand b of a wgmma has 32 MN-major rows or columns of 2 bytes", [] {
    launch(has_a_partial_atom, {{1}, {128}, sizeof(ProductShared)}, nullptr);
  });
  expect_error("the threads of a block use 89088 registers; there are 65536", [] {
    launch(takes_registers, {{1}, {384}}, nullptr);
  });
}

TEST(Mistakes, SumsThatAreReadEarlyAreNoNumbers) {
  // One slice, so that nothing else goes wrong.
  const std::vector<std::uint16_t> ones(kRows * kPipeSteps + 8, 0x3f80);
  const auto at = reinterpret_cast<std::uintptr_t>(ones.data()) % 16;
  const std::uint16_t* aligned = ones.data() + (at == 0 ? 0 : (16 - at) / 2);
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    std::vector<float> c(kRows * kRows, -1);
    launch_pipeline<Mistake::kReadsEarly>(aligned, aligned, c.data(), kRows, kRows, kPipeSteps, nullptr);
    for (float x : c) ASSERT_TRUE(std::isnan(x));
  }
  set_schedule(0);
}

TEST(Mistakes, WhatIsWrittenWithoutAFenceTensorCoresDoNotSee) {
  const std::vector<std::uint16_t> ones(64 * 64, 0x3f80);
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    std::vector<float> c(64 * 64, -1);
    const Grid grid{{1}, {128}, sizeof(ProductShared)};
    launch(
        product<std::uint16_t, Precision::kBf16, 64, Major::kK, Major::kMN, 128, false, Fence::kBehindWrites>,
        grid, nullptr, ones.data(), ones.data(), c.data());
    for (float x : c) ASSERT_EQ(x, 64);
    launch(product<std::uint16_t, Precision::kBf16, 64, Major::kK, Major::kMN, 128, false, Fence::kNone>,
           grid, nullptr, ones.data(), ones.data(), c.data());
    for (float x : c) ASSERT_TRUE(std::isnan(x));
    launch(
        product<std::uint16_t, Precision::kBf16, 64, Major::kK, Major::kMN, 128, false, Fence::kBeforeWrites>,
        grid, nullptr, ones.data(), ones.data(), c.data());
    ASSERT_TRUE(std::any_of(c.begin(), c.end(), [](float x) { return std::isnan(x); }));
  }
  set_schedule(0);
}

struct Small {
  alignas(1024) unsigned char box[1024];
  float value[32];
  Barrier barrier;
};

// The uses of a barrier of one arrival, in one block or two.
enum class Do {
  kLeavesCluster,
  kReadsBeforeSync,
  kReadsAfterArriving,
  kReadsUnordered,
  kArrivesAgain,
  kWaitsUnarrived,
  kNeverWaits,
  kArrivesUnseen,
  kOverflows,
  kBulkMisplaced,
  kBulkOdd,
  kNamedTooFew,
  kNamedZero,
  kInitTwice,
  kWaitsForNobody,
};

template <Do kDo>
__global__ void small(const float* x, float* y) {
  Small& shared = shared_memory<Small>();
  const unsigned rank = cluster_rank();
  if (threadIdx.x == 0) {
    barrier_init(shared.barrier, 1);
    if (kDo == Do::kInitTwice) barrier_init(shared.barrier, 1);
    barrier_init_fence();
  }
  shared.value[threadIdx.x % 32] = 1;
  if (kDo == Do::kReadsBeforeSync) y[0] = cluster_load(&shared.value[0], rank ^ 1);
  if (cluster_size() > 1) cluster_sync();
  __syncthreads();
  if (kDo == Do::kLeavesCluster && rank == 0)
    y[threadIdx.x] = cluster_load(&shared.value[threadIdx.x % 32], 1);
  if (kDo == Do::kReadsAfterArriving) {
    cluster_arrive_relaxed();
    y[threadIdx.x] = cluster_load(&shared.value[threadIdx.x % 32], rank ^ 1);
    cluster_wait();
  }
  if (kDo == Do::kReadsUnordered) {
    cluster_arrive_relaxed();
    cluster_wait();
    y[threadIdx.x] = cluster_load(&shared.value[threadIdx.x % 32], rank ^ 1);
    cluster_sync();
  }
  if (kDo == Do::kArrivesAgain || kDo == Do::kNeverWaits) cluster_arrive_relaxed();
  if (kDo == Do::kArrivesAgain) cluster_arrive_relaxed();
  if (kDo == Do::kWaitsUnarrived) cluster_wait();
  if (kDo == Do::kArrivesUnseen && rank == 0 && threadIdx.x == 0) barrier_arrive_remote(shared.barrier, 1);
  if (kDo == Do::kBulkMisplaced && threadIdx.x == 0) bulk_load(shared.box + 8, x, 32, shared.barrier);
  if (kDo == Do::kBulkOdd && threadIdx.x == 0) bulk_load(shared.box, x, 24, shared.barrier);
  if (kDo == Do::kOverflows && threadIdx.x == 0) barrier_arrive_expect(shared.barrier, 1 << 20);
  if (kDo == Do::kNamedTooFew && threadIdx.x < 32) named_barrier_sync(3, 64);
  if (kDo == Do::kNamedZero) named_barrier_sync(0, 64);
  if (kDo == Do::kWaitsForNobody) barrier_wait(shared.barrier, 0);
}

template <Do kDo>
void expect_error(unsigned blocks, const std::string& words) {
  alignas(16) static const float kX[64] = {};
  static float y[64];
  expect_error(words, [&] {
    launch(small<kDo>, {{blocks}, {64}, sizeof(Small), {blocks}}, nullptr, &kX[0], &y[0]);
  });
}

TEST(Mistakes, OfClusters) {
  expect_error<Do::kLeavesCluster>(2, "block");
  expect_error<Do::kReadsBeforeSync>(2, "before the first cluster_sync()");
  expect_error<Do::kReadsAfterArriving>(
      2, "between this thread's arrival at the cluster's barrier and its wait");
  expect_error<Do::kReadsUnordered>(2, "after cluster_arrive_relaxed(), which makes no writes visible");
  expect_error<Do::kArrivesAgain>(2, "without a wait since the previous one");
  expect_error<Do::kWaitsUnarrived>(2, "a wait at the cluster's barrier without an arrival");
  expect_error<Do::kNeverWaits>(2, "has arrived at the cluster's barrier and not waited");
  expect_error<Do::kArrivesUnseen>(2, "block");
  alignas(16) static const float kX[64] = {};
  static float y[64];
  expect_error("a launch of 3,1,1 blocks in clusters of 2,1,1", [] {
    launch(small<Do::kLeavesCluster>, {{3}, {64}, sizeof(Small), {2}}, nullptr, &kX[0], &y[0]);
  });
}

TEST(Mistakes, OfSmallThings) {
  expect_error<Do::kBulkMisplaced>(1, "a copy to byte 8 of shared memory, which is not a multiple of 16");
  expect_error<Do::kBulkOdd>(1, "a copy of 24 bytes");
  expect_error<Do::kOverflows>(1, "2^20 or more");
  expect_error<Do::kNamedTooFew>(1, "waits for 32 of 64 threads at named barrier 3 for ever");
  expect_error<Do::kNamedZero>(1, "named barrier 0 does not exist; 1 to 15 do");
  expect_error<Do::kInitTwice>(1, "is initialised a second time");
  expect_error<Do::kWaitsForNobody>(1, "1 of 1 arrivals and 0 bytes are missing");
}

TEST(Mistakes, OfTensorMaps) {
  alignas(16) static const float data[1024] = {};
  const TensorMapSpec good{data, 4, 2, {32, 32}, {128}, {32, 8}, Swizzle::k128};
  const auto refusal_of = [](const TensorMapSpec& spec) {
    tensor_map(spec);
    return cuda_backend().launch_error(0);
  };
  EXPECT_EQ(refusal_of(good), "");
  const auto with = [&](auto change) {
    TensorMapSpec spec = good;
    change(spec);
    return refusal_of(spec);
  };
  const auto has = [](const std::string& message, const char* words) {
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  has(with([&](TensorMapSpec& s) { s.data = data + 1; }), "multiple of 16 bytes");
  has(with([](TensorMapSpec& s) { s.pitch[0] = 100; }), "100 bytes");
  has(with([](TensorMapSpec& s) { s.box[1] = 257; }), "a box of 257 in dimension 1");
  has(with([](TensorMapSpec& s) { s.box[0] = 64; }), "256 bytes, but its swizzle has rows of 128");
  has(with([](TensorMapSpec& s) { s.box[0] = 30; }), "120 bytes, not a multiple of 16");
  has(with([](TensorMapSpec& s) { s.extent[1] = 0; }), "extent 0 of dimension 1");
  has(with([](TensorMapSpec& s) { s.rank = 1; }), "rank 1");
  has(with([](TensorMapSpec& s) { s.element_bytes = 8; }), "8 bytes");
}

}  // namespace
}  // namespace umbra::cuda_test
