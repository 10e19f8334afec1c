// Sums of numbers on emulated GPUs, under mpirun in three processes: the bits of a sum in the order of the ranks, what waits
// for what, and which devices may join.
#include "engine/dist/device_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/base/philox.h"
#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/registry/registry.h"
#include "engine/tensor/context.h"
#include "tests/fixtures/world.h"
#include "tests/parallel/where.h"

namespace umbra {
namespace {

// Of very different sizes, so that the order of a sum changes its bits.
std::vector<double> numbers_of(int rank, std::int64_t count) {
  const Rng rng(7, Purpose::kTest, static_cast<std::uint64_t>(rank));
  std::vector<double> numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(rng.normal(i) * std::pow(10.0, 6 * rng.uniform(numbers.size() + i)));
  return numbers;
}

std::vector<double> sum_in_order(const std::vector<int>& ranks, std::int64_t count) {
  std::vector<double> sum = numbers_of(ranks.front(), count);
  for (std::size_t r = 1; r < ranks.size(); ++r) {
    const std::vector<double> more = numbers_of(ranks[r], count);
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] = static_cast<double>(static_cast<float>(sum[i]) + static_cast<float>(more[i]));
  }
  return sum;
}

class SumsOnGpus : public testing::Test {
 protected:
  void join(Device device) {
    world().join_devices(device, [](Stream& stream, float* sums, const float* more, std::int64_t count) {
      const Add add(DType::kF32, count);
      const std::array<void*, 3> buffers{sums, const_cast<float*>(more), sums};
      registry().choose(add, Device::Kind::kCuda).run(add, buffers, nullptr, stream);
    });
  }
  // The only registry, because the first test joins for all of them.
  static const Registry& registry() {
    static const Registry all = make_registry();
    return all;
  }
  static Tensor on_device(const std::vector<double>& numbers, Stream& stream) {
    const Tensor tensor = allocate_tensor(device_of_process(), {std::ssize(numbers)}, DType::kF32);
    from_host(numbers, tensor, stream);
    return tensor;
  }
  // `computes` is where the numbers are computed.
  std::future<void> start_sum(const Tensor& tensor, const Stream& computes) {
    return world().start_sum(DeviceNumbers{static_cast<float*>(tensor.data()), tensor.count(),
                                           std::make_shared<QueueMark>(computes)},
                             nullptr);
  }
  const Device device_ = device_of_process();
};

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const SharedError& error) {
    return error.what();
  }
  return "no error";
}

// The first test: later ones join.
TEST_F(SumsOnGpus, NeedAGpuEach) {
  if (world().size() == 1) GTEST_SKIP() << "one process needs no other";
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos ? part : text;
  };
  const std::string first = world().name_of(0), second = world().name_of(1);
  const std::string same = first + " and " + second + " have the same GPU (emulated GPU 0 of ";
  EXPECT_EQ(has(error_of([&] { join({Device::Kind::kCuda, 0}); }), same), same);
  EXPECT_EQ(error_of([&] { join(world().rank() == 1 ? Device{} : device_); }),
            first + " computes on a GPU and " + second +
                " on a CPU; set device=cpu or device=cuda for all processes");
}

TEST_F(SumsOnGpus, SlicesAreTheWholeInOrder) {
  for (const std::int64_t count : {0, 1, 16, 17, 100, 4097}) {
    for (int size = 1; size < 6; ++size) {
      std::int64_t end = 0;
      for (int rank = 0; rank < size; ++rank) {
        const DeviceSlice slice = device_slice(count, rank, size);
        EXPECT_EQ(slice.begin, end);
        EXPECT_TRUE(slice.begin % 16 == 0 || slice.count == 0);
        EXPECT_LE(std::abs(static_cast<double>(slice.count) - static_cast<double>(count) / size), 32);
        end += slice.count;
      }
      EXPECT_EQ(end, count);
    }
  }
}

TEST_F(SumsOnGpus, AreAddedInTheOrderOfTheRanks) {
  join(device_);
  Stream stream(device_);
  for (const std::int64_t count : {1, 3, 47, 1000, 5001}) {
    const Tensor numbers = on_device(numbers_of(world().rank(), count), stream);
    std::future<void> sum = start_sum(numbers, stream);
    world().wait(sum);
    EXPECT_EQ(to_host(numbers, stream), sum_in_order(all_ranks(), count)) << count;
  }
  if (world().size() < 3) return;  // the sum of two is the same in both orders
  std::vector<int> reversed = all_ranks();
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_NE(sum_in_order(reversed, 1000), sum_in_order(all_ranks(), 1000));
}

// As in a step of training: they are started before the queue has computed any of the numbers, and what is gathered on the
// host comes after them.
TEST_F(SumsOnGpus, UnderWayAreCarriedOutInOrder) {
  join(device_);
  Context context(registry(), device_);
  const Tensor factor = on_device({2}, context.stream);
  std::vector<Tensor> all;
  for (std::int64_t i = 1; i < 6; ++i)
    all.push_back(on_device(numbers_of(world().rank(), 100 * i), context.stream));
  std::vector<std::future<void>> sums;
  for (const Tensor& numbers : all) {
    call(context, Scale(DType::kF32, numbers.count()), {numbers, factor});
    sums.push_back(start_sum(numbers, context.stream));
  }
  EXPECT_EQ(world().gather(std::array{1.0}).size(), all_ranks().size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(sums[i].wait_for(std::chrono::seconds(0)), std::future_status::ready);
    std::vector<double> expected = sum_in_order(all_ranks(), all[i].count());
    for (double& number : expected) number *= 2;
    EXPECT_EQ(to_host(all[i], context.stream), expected) << i;
  }
}

// The control of the other tests: with a mark in another queue the numbers are added before they have been computed.
TEST_F(SumsOnGpus, WithoutWaitingForTheNumbersAreNotTheirSums) {
  if (world().size() == 1) GTEST_SKIP() << "one process adds nothing";
  join(device_);
  Context context(registry(), device_);
  const Stream other(device_);
  const Tensor numbers = context.temporary({100}, DType::kF32);
  call(context, SetValue(DType::kF32, 100, 1), {numbers});
  std::future<void> sum = start_sum(numbers, other);
  world().wait(sum);
  EXPECT_NE(to_host(numbers, context.stream), std::vector<double>(100, world().size()));
}

TEST_F(SumsOnGpus, AreCountedOnTheWire) {
  join(device_);
  const auto k = static_cast<std::int64_t>(world().size()), count = 160 * k;
  Stream stream(device_);
  const Tensor numbers = on_device(numbers_of(world().rank(), count), stream);
  const Traffic before = world().traffic();
  std::future<void> sum = start_sum(numbers, stream);
  world().wait(sum);
  const Traffic after = world().traffic();
  EXPECT_EQ(after.bytes_sent - before.bytes_sent, 2 * (k - 1) * 4 * count / k);
  EXPECT_EQ(after.bytes_received - before.bytes_received, 2 * (k - 1) * 4 * count / k);
  EXPECT_EQ(after.messages - before.messages, 2 * (k - 1));
}

}  // namespace
}  // namespace umbra
