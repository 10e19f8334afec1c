// The emulator itself: it behaves like CUDA and detects the mistakes it claims to detect.
#include "engine/cuda/emulator/emulator.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "cuda_grid.h"
#include "engine/base/error.h"
#include "engine/cuda/emulator/queues.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/graph.h"
#include "engine/runtime/queue_mark.h"
#include "engine/runtime/storage.h"

namespace umbra {
namespace {

__global__ void number_threads(int* out) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += static_cast<int>(thread + 1000 * block);
}

TEST(Emulator, EveryThreadOfEveryBlockRunsOnce) {
  std::vector<int> out(12 * 30, 0);
  launch(number_threads, {{2, 3, 2}, {5, 3, 2}}, nullptr, out.data());
  for (int i = 0; i < 360; ++i) EXPECT_EQ(out[static_cast<std::size_t>(i)], i % 30 + 1000 * (i / 30));
}

struct Row {
  float value[96];
};

// Each thread reads what its mirror image wrote; the last half warp is not full.
__global__ void mirror(const float* x, float* y, bool with_barrier) {
  Row& row = shared_memory<Row>();
  row.value[threadIdx.x] = x[threadIdx.x];
  if (with_barrier) __syncthreads();
  y[threadIdx.x] = row.value[blockDim.x - 1 - threadIdx.x];
}

std::vector<float> run_mirror(bool with_barrier, emulator::Order order) {
  std::vector<float> x(80), y(80, -1);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  emulator::set_order(order);
  launch(mirror, {{1}, {80}, sizeof(Row)}, nullptr, x.data(), y.data(), with_barrier);
  emulator::set_order(emulator::Order::kForward);
  return y;
}

TEST(Emulator, BarriersOrderSharedMemoryAndTheirAbsenceIsSeen) {
  using enum emulator::Order;
  const std::vector<float> right = run_mirror(true, kForward);
  for (std::size_t i = 0; i < right.size(); ++i) EXPECT_EQ(right[i], static_cast<float>(79 - i));
  EXPECT_EQ(run_mirror(true, kBackward), right);
  EXPECT_EQ(run_mirror(true, kShuffled), right);
  // Memory that has not been written yet is NaN, in every order of threads.
  const std::vector<float> racing = run_mirror(false, kForward);
  EXPECT_TRUE(std::isnan(racing[0]));
  EXPECT_EQ(racing[79], 0);
}

__global__ void shuffles(int* sum, int* down, int* first) {
  int value = static_cast<int>(threadIdx.x);
  down[threadIdx.x] = __shfl_down_sync(kFullWarp, value, 3u);
  first[threadIdx.x] = __shfl_sync(kFullWarp, value, 5);
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(kFullWarp, value, lanes);
  sum[threadIdx.x] = value;
}

TEST(Emulator, ShufflesStayInTheirWarp) {
  std::vector<int> sum(64), down(64), first(64);
  launch(shuffles, {{1}, {64}}, nullptr, sum.data(), down.data(), first.data());
  for (int t = 0; t < 64; ++t) {
    const auto i = static_cast<std::size_t>(t);
    const int warp = t / 32 * 32, lane = t % 32;
    EXPECT_EQ(sum[i], 31 * 32 / 2 + 32 * warp);
    EXPECT_EQ(down[i], warp + (lane + 3 < 32 ? lane + 3 : lane));
    EXPECT_EQ(first[i], warp + 5);
  }
}

__global__ void waits_for_those_who_left() {
  if (threadIdx.x < 7) return;
  __syncthreads();
}
__global__ void writes_behind_its_end() {
  reinterpret_cast<float*>(&shared_memory<Row>())[gridDim.x * 96] = 1;
}
__global__ void asks_for_more_than_it_has() {
  shared_memory<Row>().value[0] = 1;
}
__global__ void reads_from_outside_its_mask() {
  if (threadIdx.x == 3) return;
  __shfl_sync(0x7u, 1, 3);
}
__global__ void disagrees_on_masks() {
  __shfl_sync(threadIdx.x < 2 ? 0x3u : 0xfu, 1, 0);
}

template <class Kernel>
std::string message_of(Kernel kernel, const Grid& grid) {
  try {
    launch(kernel, grid, nullptr);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Emulator, MistakesAreErrorsInWords) {
  EXPECT_NE(message_of(waits_for_those_who_left, {{2}, {40}})
                .find("thread 7 of block 0,0,0 waits for its block for ever"),
            std::string::npos);
  EXPECT_NE(
      message_of(writes_behind_its_end, {{1}, {1}, sizeof(Row)}).find("wrote past the end of its 384 bytes"),
      std::string::npos);
  EXPECT_NE(message_of(asks_for_more_than_it_has, {{1}, {1}, 4}).find("requested 4"), std::string::npos);
  EXPECT_NE(message_of(asks_for_more_than_it_has, {{1}, {1025}, 4}).find("1025 threads"), std::string::npos);
  EXPECT_NE(message_of(reads_from_outside_its_mask, {{1}, {4}}).find("reads from lane 3, which"),
            std::string::npos);
  EXPECT_NE(message_of(disagrees_on_masks, {{1}, {4}}).find("thread 2 of block 0,0,0 waits for its warp"),
            std::string::npos)
      << "lanes 0 and 1 have left";
  emulator::set_order(emulator::Order::kBackward);
  EXPECT_NE(message_of(disagrees_on_masks, {{1}, {4}}).find("different masks"), std::string::npos);
  emulator::set_order(emulator::Order::kForward);
  EXPECT_EQ(run_mirror(true, emulator::Order::kForward)[0], 79) << "and the emulator still works";
}

__global__ void set_to(float* x, float value) {
  x[threadIdx.x] = value;
}

// Deferred queues: nothing is done before somebody waits, and only what was put in before the mark that is waited for.
TEST(Emulator, DeferredWorkIsDoneWhenItIsWaitedFor) {
  const Device device{Device::Kind::kCuda, 0};
  emulator::defer_queues(true);
  const Stream first(device), second(device);
  emulator::defer_queues(false);
  const std::shared_ptr<Storage> memory = allocate_storage(device, 4), pinned = allocate_pinned(device, 4);
  auto* const x = static_cast<float*>(memory->data());
  auto* const seen = static_cast<float*>(pinned->data());
  launch(set_to, {{1}, {1}}, first.native(), x, 1.0F);
  const QueueMark one(first);
  launch(set_to, {{1}, {1}}, first.native(), x, 2.0F);
  EXPECT_TRUE(std::isnan(*x));
  cuda_backend().copy(0, second.native(), seen, x, 4);  // waits for nothing
  second.synchronize();
  EXPECT_TRUE(std::isnan(*seen));
  one.wait_in(second);
  cuda_backend().copy(0, second.native(), seen, x, 4);
  EXPECT_TRUE(std::isnan(*seen));
  second.synchronize();
  EXPECT_EQ(*seen, 1);
  float pageable = 0;
  cuda_backend().copy(0, first.native(), &pageable, x, 4);  // is done when the call returns
  EXPECT_EQ(pageable, 2);
}

// As with a stream that is captured: what another thread puts into another queue is no part of the graph.
TEST(Emulator, AGraphHasTheWorkOfTheThreadThatCapturesIt) {
  const Backend& backend = cuda_backend();
  float x = 0, y = 0;
  launch(set_to, {{1}, {1}}, nullptr, &x, 0.0F);  // a kernel is not launched for the first time in a graph
  backend.begin_capture(0, nullptr);
  launch(set_to, {{1}, {1}}, nullptr, &x, 1.0F);
  std::thread([&] {
    launch(set_to, {{1}, {1}}, nullptr, &y, 2.0F);
    EXPECT_NO_THROW(backend.synchronize(0, nullptr));
  }).join();
  EXPECT_EQ(y, 2);
  EXPECT_THROW(backend.synchronize(0, nullptr), Error);
  void* const graph = backend.end_capture(0, nullptr);
  EXPECT_EQ(x, 0);
  y = 3;
  backend.launch_graph(0, nullptr, graph);
  backend.destroy_graph(0, graph);
  EXPECT_EQ(x, 1);
  EXPECT_EQ(y, 3);
}

__global__ void is_launched_in_a_graph(float* x) {
  x[threadIdx.x] = 1;
}

TEST(Emulator, WhatAGraphMustNotContainIsRefused) {
  const Device device{Device::Kind::kCuda, 0};
  const Stream stream(device);
  const Event event(device);
  const QueueMark mark(stream);
  const std::shared_ptr<Storage> memory = allocate_storage(device, 4);
  auto* const x = static_cast<float*>(memory->data());
  float pageable = 0;
  const auto capture = [&](const std::function<void()>& work) -> std::string {
    try {
      const Graph graph(stream, work);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing";
  };
  const auto copy = [&](void* to, const void* from) { cuda_backend().copy(0, stream.native(), to, from, 4); };
  const std::string pageable_copy = "pageable memory was copied while a graph was being captured";
  EXPECT_EQ(capture([&] { copy(x, &pageable); }), pageable_copy);
  EXPECT_EQ(capture([&] { copy(&pageable, x); }), pageable_copy);
  EXPECT_EQ(capture([&] { copy(x, x); }), "nothing");
  EXPECT_EQ(capture([&] { event.record(stream); }), "an event was recorded while a graph was being captured");
  EXPECT_EQ(capture([&] { event.wait(); }), "an event was waited for while a graph was being captured");
  EXPECT_EQ(capture([&] { mark.reached(); }), "an event was queried while a graph was being captured");
  EXPECT_EQ(capture([&] { mark.wait_in(stream); }),
            "a queue was made to wait for an event while a graph was being captured");
  const auto launched = [&] { launch(is_launched_in_a_graph, {{1}, {1}}, stream.native(), x); };
  EXPECT_EQ(capture(launched),
            "a kernel of 1,1,1 blocks of 1 threads was launched for the first time while a graph was being "
            "captured");
  EXPECT_TRUE(std::isnan(*x));
  launched();
  EXPECT_EQ(capture(launched), "nothing");
}

}  // namespace
}  // namespace umbra
