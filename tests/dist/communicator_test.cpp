// The operations of a communicator. ctest runs these tests in one process and, under mpirun, in two and four.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/base/philox.h"
#include "engine/dist/launch.h"
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

TEST(Communicator, HasTheProcessesThatWereStartedTogether) {
  EXPECT_EQ(world().size(), launched().size);
  EXPECT_EQ(world().rank(), launched().rank);
  EXPECT_EQ(world().first(), world().rank() == 0);
}

TEST(Communicator, AddsInTheOrderOfTheRanks) {
  for (const std::size_t count : {0, 1, 3, 1000, 30'001}) {
    std::vector<float> numbers = numbers_of(world().rank(), count);
    std::future<void> sum = world().start_sum(numbers, nullptr);
    world().wait(sum);
    EXPECT_TRUE(same_bits(numbers, sum_in_order(all_ranks(), count))) << count;
  }
  if (world().size() < 4) return;  // the sum of two is the same in both orders
  std::vector<int> reversed = all_ranks();
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_FALSE(same_bits(sum_in_order(reversed, 1000), sum_in_order(all_ranks(), 1000)));
}

TEST(Communicator, SumsUnderWayAreCarriedOutInOrder) {
  std::vector<std::vector<float>> all;
  for (std::size_t i = 0; i < 20; ++i) all.push_back(numbers_of(world().rank(), 300 * i));
  std::vector<std::future<void>> sums;
  for (std::vector<float>& numbers : all) sums.push_back(world().start_sum(numbers, nullptr));
  world().barrier();  // comes after them
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(sums[i].wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_TRUE(same_bits(all[i], sum_in_order(all_ranks(), 300 * i)));
  }
}

// It may be a block of an arena, which other threads must not touch.
TEST(Communicator, TheMemoryOfASumIsReleasedByTheThreadThatStartedIt) {
  int released = 0, elsewhere = 0;
  for (int i = 0; i < 20; ++i) {
    std::vector<float> numbers(100, 1.0F);
    std::shared_ptr<void> memory(&numbers, [&, thread = std::this_thread::get_id()](void*) {
      ++released;
      elsewhere += thread == std::this_thread::get_id() ? 0 : 1;
    });
    std::future<void> sum = world().start_sum(numbers, std::move(memory));
    world().wait(sum);
    sum = {};
    world().barrier();
    world().transfers();
  }
  EXPECT_EQ(released, 20);
  EXPECT_EQ(elsewhere, 0);
}

TEST(Communicator, GathersNumbersAndTextsOfAllRanks) {
  const double rank = world().rank();
  const std::vector<double> numbers = world().gather(std::array{rank, -rank});
  ASSERT_EQ(numbers.size(), 2 * all_ranks().size());
  const std::vector<std::string> texts =
      world().gather(std::string(static_cast<std::size_t>(world().rank()), 'x'));
  ASSERT_EQ(texts.size(), all_ranks().size());
  for (const int r : all_ranks()) {
    const auto i = static_cast<std::size_t>(r);
    EXPECT_EQ(numbers[2 * i], r);
    EXPECT_EQ(numbers[2 * i + 1], -r);
    EXPECT_EQ(texts[i], std::string(i, 'x'));
  }
}

TEST(Communicator, BroadcastsTheBytesOfOneRank) {
  for (const int from : all_ranks()) {
    std::vector<float> numbers = numbers_of(world().rank(), 1000);
    world().broadcast(std::as_writable_bytes(std::span(numbers)), from);
    EXPECT_TRUE(same_bits(numbers, numbers_of(from, 1000)));
  }
}

TEST(Communicator, NamesTheRankWhoseChecksumDiffers) {
  world().compare({1e9, 5}, "the weights");
  if (world().size() < 3) return;  // of two, either could be right
  const int odd = world().size() - 1;
  std::string sentence;
  try {
    world().compare({1, world().rank() == odd ? 5.0 : 7.0}, "after step 3 the weights");
  } catch (const SharedError& error) {
    sentence = error.what();
  }
  EXPECT_EQ(sentence, "after step 3 the weights of " + world().name_of(odd) + " differ from those of " +
                          world().name_of(0));
}

// Each process sends its part of every slice that another one adds, and the sums of its own slice to all others.
TEST(Communicator, CountsTheBytesOnTheWire) {
  const auto k = static_cast<std::int64_t>(world().size()), count = 840 * k;
  std::vector<float> numbers = numbers_of(world().rank(), static_cast<std::size_t>(count));
  const Traffic before = world().traffic();
  std::future<void> sum = world().start_sum(numbers, nullptr);
  world().wait(sum);
  const Traffic after = world().traffic();
  EXPECT_EQ(after.bytes_sent - before.bytes_sent, 2 * (k - 1) * 4 * count / k);
  EXPECT_EQ(after.bytes_received - before.bytes_received, 2 * (k - 1) * 4 * count / k);
  EXPECT_EQ(after.messages - before.messages, 2 * (k - 1));
}

}  // namespace
}  // namespace umbra
