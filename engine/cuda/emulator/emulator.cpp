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
#include "engine/cuda/emulator/under_way.h"

namespace umbra::emulator {
namespace {

namespace context = boost::context;

constexpr std::size_t kStackBytes = 256 << 10;
constexpr unsigned kWarp = 32, kMostThreads = 1024,
                   kMostBlocks = 16;  // of a block, of a cluster
constexpr unsigned kNamedBarriers = 16;
constexpr std::size_t kMostShared = 227 << 10;  // of a block on Hopper

enum class State { kReady, kAtBlock, kAtWarp, kUntil, kDone };

// A fiber that runs one thread of a block after another.
struct Thread {
  context::fiber fiber;      // where it goes on; empty before its first block
  context::fiber scheduler;  // where it gives way to
  dim3 index;
  Me me{};
  State state = State::kDone;
  unsigned mask = 0;                 // of the lanes it waits for
  std::function<bool()> met;         // what it waits until
  std::function<std::string()> why;  // and what it says when that never comes
};

// Of named barriers, and of all threads of a cluster.
struct Meeting {
  unsigned wanted = 0;
  std::uint64_t times = 0;
  std::vector<unsigned> arrived;
};

std::string text(dim3 block) {
  return concat(block.x, ",", block.y, ",", block.z);
}

// One cluster of blocks after another; a launch without clusters has clusters
// of one block.
class Cluster {
 public:
  void set_order(Order order) { order_ = order; }
  void run_grid(dim3 blocks, dim3 threads, std::size_t shared_bytes, dim3 cluster,
                const std::function<void()>& body);
  Order order() const { return order_; }
  unsigned size() const { return size_; }
  Me me() const { return me_; }
  unsigned lane() const { return me_.thread % kWarp; }
  Window& window() { return windows_[me_.block]; }
  UnderWay& under_way() { return under_way_; }
  std::string who() const { return concat("thread ", me().thread, " of block ", text(blockIdx), ": "); }

  /// Gives way to the others until the state is kReady again.
  void wait(State state) {
    Thread& thread = *threads_[current_];
    thread.state = state;
    thread.scheduler = std::move(thread.scheduler).resume();
  }
  void wait_until(std::function<bool()> met, std::function<std::string()> why);
  void wait_at_named_barrier(int id, int threads);
  void wait_for_cluster();
  template <class Take>
  void meet_in_warp(unsigned mask, std::uint64_t value, const Take& take);
  std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from);

 private:
  void run_cluster();
  void end_block(unsigned block);
  void resume(unsigned t);
  bool release();
  bool release_block(unsigned block);
  bool release_met();
  [[noreturn]] void explain_deadlock() const;
  std::vector<unsigned> turns(unsigned count, std::uint64_t round) const;

  Order order_ = Order::kForward;
  const std::function<void()>* body_ = nullptr;
  std::vector<std::unique_ptr<Thread>> threads_;  // of all blocks of the cluster, block by block
  unsigned size_ = 1, count_ = 0, all_ = 0;       // blocks, threads of one, of all
  unsigned current_ = 0;                          // who runs
  Me me_{};
  std::vector<dim3> index_;           // of the blocks in the grid
  std::vector<unsigned> left_;        // threads of each block that have not ended
  unsigned until_ = 0;                // threads that wait until something
  std::vector<std::uint64_t> given_;  // in exchanges, which have two halves:
                                      // none gives before all have taken
  std::vector<Window> windows_;
  std::size_t shared_bytes_ = 0;
  UnderWay under_way_;
  std::vector<Meeting> named_;
  Meeting cluster_;
  std::exception_ptr error_;
};

Cluster& cluster() {
  static Cluster instance;
  return instance;
}

std::vector<unsigned> Cluster::turns(unsigned count, std::uint64_t round) const {
  std::vector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0u);
  if (order_ == Order::kBackward) std::reverse(order.begin(), order.end());
  if (order_ == Order::kShuffled) {
    const Rng rng(2018, Purpose::kTest, round);
    for (unsigned i = count; i > 1; --i) std::swap(order[i - 1], order[rng.below(i, i)]);
  }
  return order;
}

void Cluster::resume(unsigned t) {
  Thread& thread = *threads_[t];
  current_ = t;
  me_ = thread.me;
  threadIdx = thread.index;
  blockIdx = index_[me_.block];
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
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  if (thread.state == State::kDone && --left_[thread.me.block] == 0) end_block(thread.me.block);
}

void Cluster::end_block(unsigned b) {
  require(windows_[b].guard_is_intact(), "a kernel wrote behind its ", shared_bytes_,
          " bytes of shared memory");
  if (!under_way_.active()) return;
  try {
    under_way_.block_has_ended(b);
  } catch (const Error& error) {
    fail("block ", text(index_[b]), ": ", error.what());
  }
}

// Lets those of a block go on for whom everybody has come. Returns whether
// there was anybody.
bool Cluster::release_block(unsigned block) {
  bool any = false, all_at_block = true;
  const unsigned first = block * count_;
  for (unsigned w = 0; w < count_; w += kWarp) {
    unsigned arrived = 0;
    const unsigned end = std::min(w + kWarp, count_);
    for (unsigned t = w; t < end; ++t) {
      const State state = threads_[first + t]->state;
      if (state == State::kAtWarp) arrived |= 1u << (t - w);
      if (state != State::kAtBlock) all_at_block = false;
    }
    if (arrived == 0) continue;
    const unsigned present = end - w == kWarp ? 0xffffffffu : (1u << (end - w)) - 1;
    for (unsigned t = w; t < end; ++t) {
      Thread& thread = *threads_[first + t];
      const unsigned wanted = thread.mask & present;
      if (thread.state != State::kAtWarp || (arrived & wanted) != wanted) continue;
      thread.state = State::kReady;
      any = true;
    }
  }
  if (!all_at_block) return any;
  for (unsigned t = 0; t < count_; ++t) threads_[first + t]->state = State::kReady;
  if (under_way_.active()) under_way_.block_has_met(block);
  return true;
}

bool Cluster::release_met() {
  bool any = false;
  for (unsigned t = 0; until_ > 0 && t < all_; ++t) {
    Thread& thread = *threads_[t];
    if (thread.state != State::kUntil || !thread.met()) continue;
    thread.state = State::kReady;
    --until_;
    any = true;
  }
  return any;
}

bool Cluster::release() {
  bool any = false;
  for (unsigned b = 0; b < size_; ++b) any = release_block(b) || any;
  if (!under_way_.active()) return any;
  under_way_.pass();
  any = release_met() || any;
  while (!any && under_way_.arrive_one()) any = release_met();
  return any;
}

void Cluster::explain_deadlock() const {
  struct Waiting {
    unsigned first;
    std::string why;
    unsigned more;
  };
  std::vector<Waiting> all;
  for (unsigned t = 0; t < all_; ++t) {
    const Thread& thread = *threads_[t];
    if (thread.state == State::kDone) continue;
    const std::string why = thread.state == State::kAtBlock  ? "for its block"
                            : thread.state == State::kAtWarp ? "for its warp"
                                                             : thread.why();
    const auto same = std::find_if(all.begin(), all.end(), [&](const Waiting& w) {
      return w.first / count_ == t / count_ && w.why == why;
    });
    if (same != all.end()) {
      ++same->more;
    } else {
      all.push_back({t, why, 0});
    }
  }
  require(!all.empty(), "no thread can go on");
  std::string told;
  constexpr std::size_t kMostTold = 6;
  for (std::size_t i = 0; i < std::min(all.size(), kMostTold); ++i) {
    const Waiting& w = all[i];
    told +=
        concat(i == 0 ? "" : "; ", "thread ", w.first % count_, " of block ", text(index_[w.first / count_]),
               " waits ", w.why, " for ever", w.more > 0 ? concat(" (and ", w.more, " more like it)") : "");
  }
  fail(told, ": others have ended or wait elsewhere");
}

void Cluster::run_cluster() {
  for (unsigned b = 0; b < size_; ++b) windows_[b].begin(shared_bytes_);
  for (unsigned t = 0; t < all_; ++t) threads_[t]->state = State::kReady;
  left_.assign(size_, count_);
  until_ = 0;
  cluster_ = {};
  named_.clear();
  under_way_.begin(order_, windows_, size_, count_);
  for (std::uint64_t round = 0;; ++round) {
    bool unfinished = false;
    for (unsigned t : turns(all_, round)) {
      if (threads_[t]->state == State::kReady) resume(t);
      unfinished = unfinished || threads_[t]->state != State::kDone;
    }
    if (!unfinished) break;
    if (!release()) explain_deadlock();
  }
}

void Cluster::run_grid(dim3 blocks, dim3 threads, std::size_t shared_bytes, dim3 cluster,
                       const std::function<void()>& body) {
  count_ = threads.x * threads.y * threads.z;
  size_ = cluster.x * cluster.y * cluster.z;
  all_ = size_ * count_;
  require(count_ >= 1 && count_ <= kMostThreads && shared_bytes <= kMostShared, "a launch of ", count_,
          " threads per block with ", shared_bytes, " bytes of shared memory");
  const bool whole = size_ >= 1 && size_ <= kMostBlocks && blocks.x % cluster.x == 0 &&
                     blocks.y % cluster.y == 0 && blocks.z % cluster.z == 0;
  if (!whole) fail("a launch of ", text(blocks), " blocks in clusters of ", text(cluster));
  body_ = &body;
  gridDim = blocks;
  blockDim = threads;
  shared_bytes_ = shared_bytes;
  if (windows_.size() < size_) windows_.resize(size_);
  index_.resize(size_);
  given_.resize(all_);
  while (threads_.size() < all_) threads_.push_back(std::make_unique<Thread>());
  for (unsigned i = 0; i < all_; ++i) {
    const unsigned t = i % count_;
    threads_[i]->me = {i / count_, t};
    threads_[i]->index = {t % threads.x, t / threads.x % threads.y, t / (threads.x * threads.y)};
  }
  const dim3 clusters{blocks.x / cluster.x, blocks.y / cluster.y, blocks.z / cluster.z};
  try {
    for (unsigned c : turns(clusters.x * clusters.y * clusters.z, ~0ull)) {
      const dim3 at{c % clusters.x, c / clusters.x % clusters.y, c / (clusters.x * clusters.y)};
      for (unsigned b = 0; b < size_; ++b)
        index_[b] = {at.x * cluster.x + b % cluster.x, at.y * cluster.y + b / cluster.x % cluster.y,
                     at.z * cluster.z + b / (cluster.x * cluster.y)};
      run_cluster();
    }
  } catch (...) {
    threads_.clear();  // unwinds those that still wait
    throw;
  }
}

void Cluster::wait_until(std::function<bool()> met, std::function<std::string()> why) {
  if (met()) return;
  Thread& thread = *threads_[current_];
  thread.met = std::move(met);
  thread.why = std::move(why);
  ++until_;
  wait(State::kUntil);
}

void Cluster::wait_at_named_barrier(int id, int threads) {
  const unsigned wanted = static_cast<unsigned>(threads), block = me().block;
  require(id >= 1 && id < static_cast<int>(kNamedBarriers), "a barrier of the number ", id,
          "; 1 to 15 have names");
  require(threads > 0 && wanted <= count_ && wanted % kWarp == 0, "named barrier ", id, " for ", threads,
          " threads");
  under_way_.activate();
  named_.resize(std::size_t{size_} * kNamedBarriers);
  Meeting& meeting = named_[block * kNamedBarriers + static_cast<unsigned>(id)];
  require(meeting.arrived.empty() || meeting.wanted == wanted, "named barrier ", id, " is waited for by ",
          wanted, " and by ", meeting.wanted, " threads at once");
  meeting.wanted = wanted;
  meeting.arrived.push_back(me().thread);
  if (meeting.arrived.size() == wanted) {
    under_way_.some_have_met(block, meeting.arrived);
    meeting.arrived.clear();
    ++meeting.times;
    return;
  }
  wait_until([&meeting, times = meeting.times] { return meeting.times != times; },
             [id, &meeting] {
               return concat("for ", meeting.wanted - meeting.arrived.size(), " of ", meeting.wanted,
                             " threads at named barrier ", id);
             });
}

void Cluster::wait_for_cluster() {
  cluster_.arrived.push_back(current_);
  if (cluster_.arrived.size() == all_) {
    cluster_.arrived.clear();
    ++cluster_.times;
    under_way_.cluster_has_met();
    return;
  }
  under_way_.activate();
  wait_until([this, times = cluster_.times] { return cluster_.times != times; },
             [this] {
               return concat("for ", all_ - cluster_.arrived.size(), " of ", all_, " threads of its cluster");
             });
}

template <class Take>
void Cluster::meet_in_warp(unsigned mask, std::uint64_t value, const Take& take) {
  const unsigned me = current_, thread = me_.thread, first = me - thread;
  require((mask >> (thread % kWarp) & 1u) != 0, "lane ", thread % kWarp,
          " shuffles without being in its mask");
  given_[me] = value;
  threads_[me]->mask = mask;
  wait(State::kAtWarp);
  take(&given_[first + thread / kWarp * kWarp]);
  wait(State::kAtWarp);
}

std::uint64_t Cluster::exchange(unsigned mask, std::uint64_t value, unsigned from) {
  const unsigned last = std::min(kWarp, count_ - me().thread / kWarp * kWarp) - 1;
  std::uint64_t taken = 0;
  meet_in_warp(mask, value, [&](const std::uint64_t* given) { taken = given[std::min(from % kWarp, last)]; });
  return taken;
}

// What a thread's call does; an Error says whose.
template <class Call>
decltype(auto) told(const Call& call) {
  try {
    return call(cluster().under_way(), cluster().me());
  } catch (const Error& error) {
    fail(cluster().who(), error.what());
  }
}

}  // namespace

void set_order(Order order) {
  cluster().set_order(order);
}
void run(dim3 blocks, dim3 threads, std::size_t shared_bytes, dim3 cluster_of,
         const std::function<void()>& body) {
  if (blocks.x == 0 || blocks.y == 0 || blocks.z == 0) return;
  cluster().run_grid(blocks, threads, shared_bytes, cluster_of, body);
}
unsigned lane() {
  return cluster().lane();
}
void* shared_memory(std::size_t bytes) {
  Window& window = cluster().window();
  require(bytes <= window.bytes(), "a kernel uses ", bytes,
          " bytes of shared memory, but its launch asked for ", window.bytes());
  return window.data();
}
void wait_for_block() {
  cluster().wait(State::kAtBlock);
}
void meet_in_warp(unsigned mask, std::uint64_t value, const std::function<void(const std::uint64_t*)>& take) {
  cluster().meet_in_warp(mask, value, take);
}
std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from) {
  return cluster().exchange(mask, value, from);
}

unsigned shared_address(const void* shared) {
  return told([&](UnderWay&, Me) {
    return Window::kBase + static_cast<unsigned>(cluster().window().offset(shared, 0, "an address"));
  });
}
void wait_at_named_barrier(int id, int threads) {
  told([&](UnderWay&, Me) { cluster().wait_at_named_barrier(id, threads); });
}

void barrier_init(void* barrier, unsigned arrivals) {
  told([&](UnderWay& u, Me me) { u.barrier_init(me, barrier, arrivals); });
}
void barrier_init_fence() {
  told([&](UnderWay& u, Me me) { u.barrier_init_fence(me); });
}
void barrier_arrive(void* barrier) {
  told([&](UnderWay& u, Me me) { u.arrive(me, barrier, 0, true); });
}
void barrier_arrive_expect(void* barrier, unsigned bytes) {
  told([&](UnderWay& u, Me me) { u.arrive(me, barrier, bytes, false); });
}
void barrier_arrive_remote(void* mine, unsigned rank) {
  told([&](UnderWay& u, Me me) { u.arrive_remote(me, mine, rank); });
}
void barrier_wait(void* barrier, unsigned parity) {
  told([&](UnderWay& u, Me me) {
    const std::size_t offset = u.may_wait(me, barrier, parity);
    cluster().wait_until([&u, b = me.block, offset, parity] { return u.phase_has_ended(b, offset, parity); },
                         [&u, b = me.block, offset, parity] { return u.why_waiting(b, offset, parity); });
  });
}
void async_proxy_fence() {
  told([&](UnderWay& u, Me me) { u.proxy_fence(me); });
}

void copy_box(void* shared, const Box& box, void* barrier, unsigned mask, const int* at, int rank) {
  told([&](UnderWay& u, Me me) {
    require(rank == box.rank, "a copy with ", rank, " coordinates of a tensor map of rank ", box.rank);
    Copy copy;
    copy.box = box;
    std::copy_n(at, rank, copy.at);
    u.start(me, shared, copy, barrier, mask);
  });
}
void copy_bytes(void* shared, const void* global, std::size_t bytes, void* barrier) {
  told([&](UnderWay& u, Me me) {
    Copy copy;
    copy.global = global;
    copy.bytes = bytes;
    u.start(me, shared, copy, barrier, 0);
  });
}

void wgmma_issue(const Wgmma& wgmma, float* d, const unsigned* a_registers) {
  told([&](UnderWay& u, Me me) { u.issue(me, wgmma, d, a_registers); });
}
void wgmma_fence() {
  told([&](UnderWay& u, Me me) { u.warpgroup(me).fence(me.thread % Warpgroup::kThreads); });
}
void wgmma_commit() {
  told([&](UnderWay& u, Me me) { u.warpgroup(me).commit(me.thread % Warpgroup::kThreads); });
}
void wgmma_wait(int left) {
  told([&](UnderWay& u, Me me) {
    Warpgroup& group = u.warpgroup(me);
    const unsigned thread = me.thread % Warpgroup::kThreads;
    const std::uint64_t wanted = group.wanted(thread, left);
    cluster().wait_until([&u, me, wanted] { return u.wgmmas_are_done(me, wanted); },
                         [&group] { return group.why_waiting(); });
    group.finish_wait(thread, wanted);
  });
}
void set_registers(int registers) {
  told([&](UnderWay& u, Me me) { u.set_registers(me, registers); });
}
bool one_of_warp() {
  constexpr unsigned kLane[] = {0, kWarp - 1, 17};  // in every order another one
  return lane() == kLane[static_cast<int>(cluster().order())];
}

unsigned cluster_rank() {
  return cluster().me().block;
}
unsigned cluster_size() {
  return cluster().size();
}
void wait_for_cluster() {
  told([&](UnderWay&, Me) { cluster().wait_for_cluster(); });
}
const void* in_cluster(const void* mine, std::size_t bytes, unsigned rank) {
  return told([&](UnderWay& u, Me me) { return u.in_cluster(me, mine, bytes, rank); });
}

}  // namespace umbra::emulator
