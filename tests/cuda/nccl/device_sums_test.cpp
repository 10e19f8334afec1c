// What is particular to sums on GPUs: which devices may join, the slices, and what waits for what.
#include "engine/dist/device_sums.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops/elementwise/scale.h"
#include "engine/registry/registry.h"
#include "engine/tensor/context.h"
#include "tests/dist/numbers.h"
#include "tests/fixtures/world.h"
#include "tests/parallel/where.h"

namespace umbra {
namespace {

// In place of additions, which no test needs that fails to join.
void add_nothing(Stream&, float*, const float*, std::int64_t) {}

template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// The first test of its program: later ones join.
TEST(Communicator, NeedsAGpuForEachProcess) {
  const Device device = device_of_process();
  const std::shared_ptr<Storage> memory = allocate_storage(device, 64);
  EXPECT_EQ(error_of([&] {
              static_cast<void>(world().start_sum(DeviceNumbers{static_cast<float*>(memory->data()), 16,
                                                                std::make_shared<QueueMark>(Stream(device))},
                                                  nullptr));
            }),
            "numbers on a GPU are added, but the processes have not joined with their GPUs");
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos ? part : text;
  };
  const std::string first = world().name_of(0), second = world().name_of(1);
  const std::string same = first + " and " + second + " have the same GPU (emulated GPU 0 of ";
  EXPECT_EQ(has(error_of([&] { world().join_devices({Device::Kind::kCuda, 0}, add_nothing); }), same), same);
  EXPECT_EQ(error_of([&] { world().join_devices(world().rank() == 1 ? Device{} : device, add_nothing); }),
            first + " computes on a GPU and " + second +
                " on a CPU; set device=cpu or device=cuda for all processes");
}

TEST(Communicator, SlicesOnGpusAreTheWholeInOrder) {
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

// The control of sums_test.cpp: with a mark in another queue the numbers are added before they have been computed.
TEST(Communicator, WithoutWaitingForNumbersOnGpusTheResultsAreNotTheirSums) {
  make_numbers({1.0F});  // joins
  const Registry registry = make_registry();
  Context context(registry, device_of_process());
  const Stream other(context.device());
  const Tensor numbers = context.temporary({100}, DType::kF32);
  call(context, SetValue(DType::kF32, 100, 1), {numbers});
  std::future<void> sum = world().start_sum(
      DeviceNumbers{static_cast<float*>(numbers.data()), 100, std::make_shared<QueueMark>(other)}, nullptr);
  world().wait(sum);
  EXPECT_NE(to_host(numbers, context.stream), std::vector<double>(100, world().size()));
}

}  // namespace
}  // namespace umbra
