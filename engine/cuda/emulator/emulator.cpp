#include "engine/cuda/emulator/emulator.h"

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <exception>
#include <memory>
#include <numeric>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace umbra::emulator {
namespace {

namespace context = boost::context;

constexpr std::size_t kStackBytes = 256 << 10;
constexpr std::size_t kGuardBytes = 256;
constexpr unsigned char kPoison = 0xFF, kGuard = 0xA5;
constexpr unsigned kWarp = 32, kMostThreads = 1024;
constexpr std::size_t kMostShared = 227 << 10;  // of a block on Hopper

enum class State { kReady, kAtBlock, kAtWarp, kDone };

// A fiber that runs one thread of a block after another.
struct Thread {
  context::fiber fiber;      // where it goes on; empty before its first block
  context::fiber scheduler;  // where it gives way to
  dim3 index;
  State state = State::kDone;
  unsigned mask = 0;  // of the lanes it waits for
  std::uint64_t given = 0;
};

class Block {
 public:
  void set_order(Order order) { order_ = order; }
  void run_grid(dim3 blocks, dim3 threads, std::size_t shared_bytes, const std::function<void()>& body);
  void* shared_memory(std::size_t bytes) {
    require(bytes <= shared_bytes_, "a kernel uses ", bytes,
            " bytes of shared memory, but its launch asked for ", shared_bytes_);
    return shared_.data();
  }
  unsigned char* shared_begin() { return reinterpret_cast<unsigned char*>(shared_.data()); }
  unsigned char* guard_begin() { return shared_begin() + shared_bytes_; }
  unsigned lane() const { return current_ % kWarp; }
  /// Gives way to the others until the state is kReady again.
  void wait(State state) {
    Thread& thread = *threads_[current_];
    thread.state = state;
    thread.scheduler = std::move(thread.scheduler).resume();
  }
  std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from);

 private:
  void run_block();
  void resume(unsigned t);
  bool release();
  [[noreturn]] void explain_deadlock() const;
  std::vector<unsigned> turns(unsigned count, std::uint64_t round) const;

  Order order_ = Order::kForward;
  const std::function<void()>* body_ = nullptr;
  std::vector<std::unique_ptr<Thread>> threads_;
  unsigned count_ = 0, current_ = 0;
  // An exchange has two halves, so that nobody gives anew before everybody has taken.
  std::vector<std::uint64_t> given_;
  struct alignas(128) Line {
    unsigned char bytes[128];
  };
  std::vector<Line> shared_;  // with the guard behind the shared memory
  std::size_t shared_bytes_ = 0;
  std::exception_ptr error_;
};

Block& block() {
  static Block instance;
  return instance;
}

std::vector<unsigned> Block::turns(unsigned count, std::uint64_t round) const {
  std::vector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0u);
  if (order_ == Order::kBackward) std::reverse(order.begin(), order.end());
  if (order_ == Order::kShuffled) {
    const Rng rng(2018, Purpose::kTest, round);
    for (unsigned i = count; i > 1; --i) std::swap(order[i - 1], order[rng.below(i, i)]);
  }
  return order;
}

void Block::resume(unsigned t) {
  Thread& thread = *threads_[t];
  current_ = t;
  threadIdx = thread.index;
  if (!thread.fiber) {
    thread.fiber = context::fiber(std::allocator_arg, context::protected_fixedsize_stack(kStackBytes),
                                  [this, &thread](context::fiber&& scheduler) {
                                    thread.scheduler = std::move(scheduler);
                                    for (;;) {
                                      try {
                                        (*body_)();
                                      } catch (const context::detail::forced_unwind&) {
                                        throw;
                                      } catch (...) {
                                        error_ = std::current_exception();
                                      }
                                      thread.state = State::kDone;
                                      thread.scheduler = std::move(thread.scheduler).resume();
                                    }
                                    return std::move(thread.scheduler);
                                  });
  }
  thread.fiber = std::move(thread.fiber).resume();
}

// Lets those go on for whom everybody has come. Returns whether there was anybody.
bool Block::release() {
  bool any = false, all_at_block = true;
  for (unsigned w = 0; w < count_; w += kWarp) {
    unsigned arrived = 0;
    const unsigned end = std::min(w + kWarp, count_);
    for (unsigned t = w; t < end; ++t) {
      if (threads_[t]->state == State::kAtWarp) arrived |= 1u << (t - w);
      if (threads_[t]->state != State::kAtBlock) all_at_block = false;
    }
    const unsigned present = end - w == kWarp ? 0xffffffffu : (1u << (end - w)) - 1;
    for (unsigned t = w; t < end; ++t) {
      Thread& thread = *threads_[t];
      const unsigned wanted = thread.mask & present;
      if (thread.state != State::kAtWarp || (arrived & wanted) != wanted) continue;
      thread.state = State::kReady;
      any = true;
    }
  }
  if (!all_at_block) return any;
  for (unsigned t = 0; t < count_; ++t) threads_[t]->state = State::kReady;
  return true;
}

void Block::explain_deadlock() const {
  for (unsigned t = 0; t < count_; ++t) {
    const State state = threads_[t]->state;
    if (state == State::kDone) continue;
    fail("thread ", t, " of block ", blockIdx.x, ",", blockIdx.y, ",", blockIdx.z, " waits for its ",
         state == State::kAtBlock ? "block" : "warp", " for ever: others have ended or wait elsewhere");
  }
  fail("no thread can go on");
}

void Block::run_block() {
  std::fill_n(shared_begin(), shared_bytes_, kPoison);
  std::fill_n(guard_begin(), kGuardBytes, kGuard);
  for (unsigned t = 0; t < count_; ++t) threads_[t]->state = State::kReady;
  for (std::uint64_t round = 0;; ++round) {
    bool unfinished = false;
    for (unsigned t : turns(count_, round)) {
      if (threads_[t]->state == State::kReady) resume(t);
      if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
      unfinished = unfinished || threads_[t]->state != State::kDone;
    }
    if (!unfinished) break;
    if (!release()) explain_deadlock();
  }
  require(
      std::all_of(guard_begin(), guard_begin() + kGuardBytes, [](unsigned char b) { return b == kGuard; }),
      "a kernel wrote behind its ", shared_bytes_, " bytes of shared memory");
}

void Block::run_grid(dim3 blocks, dim3 threads, std::size_t shared_bytes, const std::function<void()>& body) {
  count_ = threads.x * threads.y * threads.z;
  require(count_ >= 1 && count_ <= kMostThreads && shared_bytes <= kMostShared, "a launch of ", count_,
          " threads per block with ", shared_bytes, " bytes of shared memory");
  body_ = &body;
  gridDim = blocks;
  blockDim = threads;
  shared_bytes_ = shared_bytes;
  shared_.resize((shared_bytes + kGuardBytes) / sizeof(Line) + 1);
  given_.resize(count_);
  while (threads_.size() < count_) threads_.push_back(std::make_unique<Thread>());
  for (unsigned t = 0; t < count_; ++t)
    threads_[t]->index = {t % threads.x, t / threads.x % threads.y, t / (threads.x * threads.y)};
  try {
    for (unsigned b : turns(blocks.x * blocks.y * blocks.z, ~0ull)) {
      blockIdx = {b % blocks.x, b / blocks.x % blocks.y, b / (blocks.x * blocks.y)};
      run_block();
    }
  } catch (...) {
    threads_.clear();  // unwinds those that still wait
    throw;
  }
}

std::uint64_t Block::exchange(unsigned mask, std::uint64_t value, unsigned from) {
  const unsigned me = current_, warp = me / kWarp * kWarp;
  require((mask >> (me % kWarp) & 1u) != 0, "lane ", me % kWarp, " shuffles without being in its mask");
  given_[me] = value;
  threads_[me]->mask = mask;
  wait(State::kAtWarp);
  const std::uint64_t taken = given_[std::min(warp + from % kWarp, count_ - 1)];
  wait(State::kAtWarp);
  return taken;
}

}  // namespace

void set_order(Order order) {
  block().set_order(order);
}
void run(dim3 blocks, dim3 threads, std::size_t shared_bytes, const std::function<void()>& body) {
  if (blocks.x == 0 || blocks.y == 0 || blocks.z == 0) return;
  block().run_grid(blocks, threads, shared_bytes, body);
}
unsigned lane() {
  return block().lane();
}
void* shared_memory(std::size_t bytes) {
  return block().shared_memory(bytes);
}
void wait_for_block() {
  block().wait(State::kAtBlock);
}
std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from) {
  return block().exchange(mask, value, from);
}

}  // namespace umbra::emulator
