// The operations of a communicator, without sums (sums_test.cpp). ctest runs these tests in one process and, under mpirun, in two and four.
#include <gtest/gtest.h>

#include "engine/dist/launch.h"
#include "tests/fixtures/world.h"

namespace umbra {
namespace {

TEST(Communicator, HasTheProcessesThatWereStartedTogether) {
  EXPECT_EQ(world().size(), launched().size);
  EXPECT_EQ(world().rank(), launched().rank);
  EXPECT_EQ(world().first(), world().rank() == 0);
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
    std::vector<int> numbers(1000, world().rank());
    world().broadcast(std::as_writable_bytes(std::span(numbers)), from);
    EXPECT_EQ(numbers, std::vector<int>(1000, from));
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

}  // namespace
}  // namespace umbra
