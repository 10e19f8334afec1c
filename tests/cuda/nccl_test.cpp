// NCCL with one process, which sends to itself: all that can be tried on a machine with one GPU. Emulated, with the stand-in
// for its library.
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <thread>

#include "engine/dist/device_transport.h"
#include "engine/runtime/queue_mark.h"
#include "engine/tensor/tensor.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

template <class Done>
void wait_for(const Done& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (!done()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(CudaNccl, OneRankSendsToItself) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  if (const std::string reason = nccl_missing(); !reason.empty()) GTEST_SKIP() << reason;
  const Device device{Device::Kind::kCuda, 0};
  const std::unique_ptr<DeviceTransport> transport = connect_with_nccl(new_nccl_id(), 0, 1, device);
  wait_for([&] { return transport->ready(); });

  constexpr std::int64_t kCount = 100'003;
  std::vector<double> numbers(kCount);
  std::iota(numbers.begin(), numbers.end(), 1.0);
  Stream computes(device), sends(device);
  const Tensor from = allocate_tensor(device, {kCount}, DType::kF32),
               to = allocate_tensor(device, {kCount}, DType::kF32);
  from_host(numbers, from, computes);
  for (int message = 0; message < 3; ++message) {
    const QueueMark final(computes);
    final.wait_in(sends);
    const DeviceMessage out{0, static_cast<float*>(from.data()), kCount},
        in{0, static_cast<float*>(to.data()), kCount};
    transport->exchange({&out, 1}, {&in, 1}, sends);
    wait_for([&] { return transport->ready(); });
    const QueueMark received(sends);
    wait_for([&] { return received.reached(); });
    EXPECT_EQ(to_host(to, computes), numbers);
    numbers[7] += 1;
    from_host(numbers, from, computes);
  }
  transport->leave();
  wait_for([&] { return transport->ready(); });
}

TEST(CudaNccl, AMarkIsReachedWhenTheWorkBeforeItIsDone) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  const Device device{Device::Kind::kCuda, 0};
  Stream first(device), second(device);
  const Tensor a = allocate_tensor(device, {1000}, DType::kF32),
               b = allocate_tensor(device, {1000}, DType::kF32);
  from_host(std::vector<double>(1000, 2.5), a, first);
  copy(a, b, first);
  const QueueMark copied(first);
  copied.wait_in(second);
  EXPECT_EQ(to_host(b, second), std::vector<double>(1000, 2.5));
  EXPECT_TRUE(copied.reached());
}

}  // namespace
}  // namespace umbra
