// Sums over processes: on the host in two and four, and on emulated GPUs in three (tests/cuda/nccl).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/philox.h"
#include "tests/dist/numbers.h"
#include "tests/fixtures/world.h"

namespace umbra {
namespace {

// What a process adds: numbers of very different sizes, so that the order of a sum changes its bits.
std::vector<float> numbers_of(int rank, std::size_t count) {
  const Rng rng(7, Purpose::kTest, static_cast<std::uint64_t>(rank));
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i)
    numbers[i] = static_cast<float>(rng.normal(i) * std::pow(10.0, 6 * rng.uniform(count + i)));
  return numbers;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), 4 * a.size()) == 0);
}

std::vector<float> sum_in_order(const std::vector<int>& ranks, std::size_t count) {
  std::vector<float> sum = numbers_of(ranks.front(), count);
  for (std::size_t r = 1; r < ranks.size(); ++r) {
    const std::vector<float> more = numbers_of(ranks[r], count);
    for (std::size_t i = 0; i < count; ++i) sum[i] += more[i];
  }
  return sum;
}

TEST(Communicator, AddsInTheOrderOfTheRanks) {
  for (const std::size_t count : {0, 1, 3, 47, 1000, 5001}) {
    const std::unique_ptr<Numbers> numbers = make_numbers(numbers_of(world().rank(), count));
    std::future<void> sum = numbers->start_sum();
    world().wait(sum);
    EXPECT_TRUE(same_bits(numbers->values(), sum_in_order(all_ranks(), count))) << count;
  }
  if (world().size() < 3) return;  // the sum of two is the same in both orders
  std::vector<int> reversed = all_ranks();
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_FALSE(same_bits(sum_in_order(reversed, 1000), sum_in_order(all_ranks(), 1000)));
}

// As in a step of training: all are started before one is waited for, and what is gathered comes after them.
TEST(Communicator, SumsUnderWayAreCarriedOutInOrder) {
  std::vector<std::unique_ptr<Numbers>> all;
  for (std::size_t i = 0; i < 20; ++i) all.push_back(make_numbers(numbers_of(world().rank(), 300 * i)));
  std::vector<std::future<void>> sums;
  for (const std::unique_ptr<Numbers>& numbers : all) sums.push_back(numbers->start_sum());
  world().barrier();
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(sums[i].wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_TRUE(same_bits(all[i]->values(), sum_in_order(all_ranks(), 300 * i))) << i;
  }
}

// Each process sends its part of every slice that another one adds, and the sums of its own slice to all others.
TEST(Communicator, CountsTheBytesOnTheWire) {
  const auto k = static_cast<std::int64_t>(world().size()), count = 160 * k;
  const std::unique_ptr<Numbers> numbers =
      make_numbers(numbers_of(world().rank(), static_cast<std::size_t>(count)));
  const Traffic before = world().traffic();
  std::future<void> sum = numbers->start_sum();
  world().wait(sum);
  const Traffic after = world().traffic();
  EXPECT_EQ(after.bytes_sent - before.bytes_sent, 2 * (k - 1) * 4 * count / k);
  EXPECT_EQ(after.bytes_received - before.bytes_received, 2 * (k - 1) * 4 * count / k);
  EXPECT_EQ(after.messages - before.messages, 2 * (k - 1));
}

}  // namespace
}  // namespace umbra
