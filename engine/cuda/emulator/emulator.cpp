#include "engine/cuda/emulator/emulator.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "engine/base/error.h"
#include "engine/cuda/emulator/queues.h"
#include "engine/cuda/emulator/scheduler.h"

namespace umbra::emulator {
namespace {

// Runs a thread's call; prefixes an Error with the thread and block.
template <class Call>
decltype(auto) told(const Call& call) {
  try {
    return call(scheduler().under_way(), scheduler().me());
  } catch (const Error& error) {
    fail(scheduler().who(), error.what());
  }
}

std::function<void(const Launch&)>& recorder() {
  static std::function<void(const Launch&)> seen;
  return seen;
}

// CUDA loads a kernel into the GPU when it is launched for the first time, which may wait for the GPU: not in a capture.
void check_loaded(const Launch& launch) {
  static std::mutex mutex;
  static std::set<const void*> loaded;
  const std::lock_guard<std::mutex> lock(mutex);
  require(!is_capturing() || loaded.contains(launch.kernel), "a kernel of ", launch.blocks.x, ",",
          launch.blocks.y, ",", launch.blocks.z, " blocks of ", launch.threads.x,
          " threads was launched for the first time while a graph was being captured");
  loaded.insert(launch.kernel);
}

}  // namespace

void record_launches(std::function<void(const Launch&)> seen) {
  recorder() = std::move(seen);
}
bool recorded(const Launch& launch) {
  check_loaded(launch);
  if (!recorder()) return false;
  recorder()(launch);
  return true;
}

void set_order(Order order) {
  scheduler().set_order(order);
}
void run(dim3 blocks, dim3 threads, std::size_t shared_bytes, dim3 cluster,
         const std::function<void()>& body) {
  if (blocks.x == 0 || blocks.y == 0 || blocks.z == 0) return;
  scheduler().run_grid(blocks, threads, shared_bytes, cluster, body);
}
unsigned lane() {
  return scheduler().lane();
}
void* shared_memory(std::size_t bytes) {
  Window& window = scheduler().window();
  require(bytes <= window.bytes(), "a kernel uses ", bytes,
          " bytes of shared memory, but its launch requested ", window.bytes());
  return window.data();
}
void wait_for_block() {
  scheduler().wait(State::kAtBlock);
}
void meet_in_warp(unsigned mask, void* offer, void (*all)(const WarpOffers&)) {
  scheduler().meet_in_warp(mask, offer, all);
}
std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from) {
  return scheduler().exchange(mask, value, from);
}

unsigned shared_address(const void* shared) {
  return told([&](UnderWay&, Me) {
    return Window::kBase + static_cast<unsigned>(scheduler().window().offset(shared, 0, "an address"));
  });
}
void wait_at_named_barrier(int id, int threads) {
  told([&](UnderWay&, Me) { scheduler().wait_at_named_barrier(id, threads); });
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
    scheduler().wait_until(
        [&u, b = me.block, offset, parity] { return u.phase_has_ended(b, offset, parity); },
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
    scheduler().wait_until([&u, me, wanted] { return u.wgmmas_are_done(me, wanted); },
                           [&group] { return group.why_waiting(); });
    group.finish_wait(thread, wanted);
  });
}
void set_registers(int registers) {
  told([&](UnderWay& u, Me me) { u.set_registers(me, registers); });
}
bool one_of_warp() {
  constexpr unsigned kLane[] = {0, kWarp - 1, 17};  // a different one in every order
  return lane() == kLane[static_cast<int>(scheduler().order())];
}

unsigned cluster_rank() {
  return scheduler().me().block;
}
unsigned cluster_size() {
  return scheduler().size();
}
void arrive_at_cluster(bool release) {
  told([&](UnderWay&, Me) { scheduler().arrive_at_cluster(release); });
}
void wait_for_cluster() {
  told([&](UnderWay&, Me) { scheduler().wait_for_cluster(); });
}
const void* in_cluster(const void* mine, std::size_t bytes, unsigned rank) {
  return told([&](UnderWay& u, Me me) { return u.in_cluster(me, mine, bytes, rank); });
}

}  // namespace umbra::emulator
