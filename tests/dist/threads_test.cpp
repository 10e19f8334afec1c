// The communicator between threads of this program, without MPI: builds with sanitizers run it, too.
#include <gtest/gtest.h>

#include "engine/base/philox.h"
#include "tests/dist/mail.h"

namespace umbra {
namespace {

using testing_tools::Mail;
using testing_tools::MailTransport;

// Calls body(communicator) in a thread per process.
template <class Body>
void in_threads(int size, const Body& body) {
  Mail mail;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      Communicator world([&] { return std::make_unique<MailTransport>(mail, rank, size); });
      body(world);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::vector<float> drawn(int rank, std::size_t count) {
  const Rng rng(7, Purpose::kTest, static_cast<std::uint64_t>(rank));
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(rng.normal(i));
  return numbers;
}

TEST(CommunicatorOfThreads, AddsWhileItsCallersWork) {
  constexpr int kSize = 5;
  constexpr std::size_t kSums = 40;
  std::vector<std::vector<std::vector<float>>> results(kSize);  // of each process
  in_threads(kSize, [&](Communicator& world) {
    std::vector<std::vector<float>>& own = results[static_cast<std::size_t>(world.rank())];
    std::vector<std::future<void>> sums;
    for (std::size_t i = 0; i < kSums; ++i) own.push_back(drawn(world.rank(), 37 * i));
    for (std::vector<float>& numbers : own) {
      sums.push_back(world.start_sum(numbers, nullptr));
      EXPECT_GE(world.traffic().operations, 0);  // other threads may ask, too
    }
    EXPECT_EQ(world.gather(std::array{1.0 * world.rank()}), (std::vector<double>{0, 1, 2, 3, 4}));
    for (std::future<void>& sum : sums) world.wait(sum);
    EXPECT_EQ(world.transfers().size(), kSums);
  });
  for (std::size_t i = 0; i < kSums; ++i) {
    std::vector<float> expected = drawn(0, 37 * i);
    for (int rank = 1; rank < kSize; ++rank) {
      const std::vector<float> more = drawn(rank, 37 * i);
      for (std::size_t k = 0; k < expected.size(); ++k) expected[k] += more[k];
    }
    for (const auto& of_process : results) EXPECT_EQ(of_process[i], expected) << "sum " << i;
  }
}

// It has connected, and then does not answer. The error can be printed, because the constructor has returned.
TEST(CommunicatorOfThreads, AProcessThatIsMissingFromTheStartIsFoundByTheFirstOperation) {
  Mail mail;
  Communicator world([&] { return std::make_unique<MailTransport>(mail, 0, 2); });
  world.set_timeout(0.1);
  try {
    world.barrier();
    FAIL() << "the other process does not exist";
  } catch (const JobFailed& failed) {
    EXPECT_STREQ(failed.what(), "rank 1 on a host has not answered for 0.1 s");
    EXPECT_TRUE(failed.prints());
  }
}

}  // namespace
}  // namespace umbra
