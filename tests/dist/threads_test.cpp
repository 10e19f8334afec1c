// The communicator between threads of this program, without MPI: builds with sanitizers run it, too.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/base/philox.h"
#include "engine/dist/communicator.h"

namespace umbra {
namespace {

// What has been sent but not received, by sender and receiver.
class Mail {
 public:
  void send(int from, int to, std::span<const std::byte> bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    letters_[{from, to}].emplace_back(bytes.begin(), bytes.end());
  }
  bool receive(int from, int to, std::span<std::byte> bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::deque<std::vector<std::byte>>& letters = letters_[{from, to}];
    if (letters.empty()) return false;
    require(letters.front().size() == bytes.size(), "another message is expected");
    std::copy(letters.front().begin(), letters.front().end(), bytes.begin());
    letters.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<int, int>, std::deque<std::vector<std::byte>>> letters_;
};

class MailTransport final : public Transport {
 public:
  MailTransport(Mail& mail, int rank, int size) : mail_(mail), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void start(std::span<const Message> sends, std::span<const Message> receives) override {
    for (const Message& m : sends) mail_.send(rank_, m.peer, m.bytes);
    awaited_.assign(receives.begin(), receives.end());
  }
  bool delivered() override {
    std::erase_if(awaited_, [&](const Message& m) { return mail_.receive(m.peer, rank_, m.bytes); });
    return awaited_.empty();
  }
  std::vector<int> missing() const override {
    std::vector<int> peers;
    for (const Message& m : awaited_) peers.push_back(m.peer);
    return peers;
  }
  void give_up() override { awaited_.clear(); }
  void announce(const Notice&, std::span<const int>, double) override {}
  std::optional<Notice> notice() override { return {}; }
  void abort() override {}

 private:
  Mail& mail_;
  int rank_, size_;
  std::vector<Message> awaited_;
};

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
