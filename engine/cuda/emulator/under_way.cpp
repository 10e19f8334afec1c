#include "engine/cuda/emulator/under_way.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/base/error.h"

namespace umbra::emulator {
namespace {

constexpr int kRegisters = 65536, kMostOfThread = 255;  // of a block on Hopper, and of a thread

int registers_at_start(unsigned threads) {
  return std::min(kMostOfThread, kRegisters / static_cast<int>(threads) / 8 * 8);
}

}  // namespace

void UnderWay::begin(Order order, std::vector<Window>& windows, unsigned blocks, unsigned threads) {
  order_ = order;
  windows_ = &windows;
  count_ = blocks;
  threads_ = threads;
  active_ = met_ = false;
  released_ = visible_ = true;
  copies_.clear();
  if (blocks > 1) activate();
}

void UnderWay::activate() {
  if (active_) return;
  active_ = true;
  random_ = 2018;
  blocks_.resize(count_);
  for (PerBlock& block : blocks_) {
    block.barriers.begin();
    block.fills.clear();
    block.warpgroups.resize(threads_ / Warpgroup::kThreads);
    for (Warpgroup& group : block.warpgroups) group.begin();
    block.fenced.assign(threads_, 0);
    block.registers.assign(threads_, registers_at_start(threads_));
    block.arrived.assign(threads_, 0);
    block.fences = 0;
    block.ended = block.visited = false;
  }
}

UnderWay::PerBlock& UnderWay::of(Me me) {
  activate();
  return blocks_[me.block];
}

UnderWay::PerBlock& UnderWay::other(Me me, unsigned rank, const char* what) {
  of(me);
  require(rank < count_, what, " block ", rank, " of a cluster of ", count_);
  PerBlock& block = blocks_[rank];
  if (rank == me.block) return block;
  require(met_, what, " block ", rank,
          " of the cluster before the first cluster_sync(): it may not have begun");
  require(!block.ended, what, " block ", rank, " of the cluster, which has ended");
  require(blocks_[me.block].arrived[me.thread] == 0, what, " block ", rank,
          " of the cluster between this thread's arrival at the cluster's barrier and its wait: it may have "
          "ended");
  return block;
}

// A linear congruential generator (Knuth's MMIX); only its upper bits are used.
std::uint64_t UnderWay::random(std::uint64_t below) {
  random_ = random_ * 6364136223846793005u + 1442695040888963407u;
  return (random_ >> 33) % below;
}

void UnderWay::barrier_init(Me me, void* barrier, unsigned arrivals) {
  const std::size_t offset = (*windows_)[me.block].offset(barrier, 8, "a barrier");
  of(me).barriers.init(offset, arrivals, me.thread);
}

void UnderWay::barrier_init_fence(Me me) {
  of(me).barriers.fence(me.thread);
}

void UnderWay::publish_if(bool publish, unsigned block) {
  if (publish) (*windows_)[block].publish();
}

void UnderWay::arrive(Me me, void* barrier, std::int64_t bytes, bool plain) {
  PerBlock& block = of(me);
  const std::size_t offset = (*windows_)[me.block].offset(barrier, 8, "a barrier");
  const bool fenced = block.fenced[me.thread] != 0;
  publish_if(block.barriers.arrive(offset, me.thread, bytes, plain, fenced), me.block);
  if (!plain || !fenced) return;
  block.fenced[me.thread] = 0;
  --block.fences;
}

void UnderWay::arrive_remote(Me me, void* mine, unsigned rank) {
  if (rank == me.block) return arrive(me, mine, 0, true);
  const std::size_t offset = (*windows_)[me.block].offset(mine, 8, "a barrier");
  PerBlock& block = other(me, rank, "an arrival at a barrier of");
  publish_if(block.barriers.arrive(offset, Barriers::kOutside, 0, true, false), rank);
}

std::size_t UnderWay::may_wait(Me me, void* barrier, unsigned parity) {
  require(parity <= 1, "a barrier is waited for with parity ", parity);
  const std::size_t offset = (*windows_)[me.block].offset(barrier, 8, "a barrier");
  of(me).barriers.may_wait(offset, me.thread);
  return offset;
}

bool UnderWay::phase_has_ended(unsigned block, std::size_t barrier, unsigned parity) {
  Barriers& barriers = blocks_[block].barriers;
  if (!barriers.ended(barrier, parity)) return false;
  for (Fill& fill : blocks_[block].fills)
    fill.seen = fill.seen || (fill.barrier == barrier && fill.phase < barriers.phase(barrier));
  return true;
}

std::string UnderWay::why_waiting(unsigned block, std::size_t barrier, unsigned parity) const {
  return blocks_[block].barriers.why_waiting(barrier, parity);
}

void UnderWay::proxy_fence(Me me) {
  PerBlock& block = of(me);
  if (block.fenced[me.thread] == 0) ++block.fences;
  block.fenced[me.thread] = 1;
  // The next barrier does not make writes after the last fence visible.
  if (block.fences == threads_) (*windows_)[me.block].stage();
}

void UnderWay::check_free(unsigned block, const Copy& copy) const {
  const std::size_t end = copy.offset + copy.bytes;
  for (const Fill& fill : blocks_[block].fills) {
    require(fill.seen || end <= fill.begin || fill.end <= copy.offset, "a copy to bytes ", copy.offset,
            " to ", end,
            " of shared memory is started before any thread has waited for the previous copy to these bytes");
  }
  for (std::size_t g = 0; g < blocks_[block].warpgroups.size(); ++g) {
    require(!blocks_[block].warpgroups[g].may_read(copy.offset, end), "a copy to bytes ", copy.offset, " to ",
            end, " of shared memory is started while a wgmma of warpgroup ", g,
            ", which reads there, may be under way");
  }
}

void UnderWay::start(Me me, void* shared, Copy copy, void* barrier, unsigned mask) {
  const Window& window = (*windows_)[me.block];
  if (copy.box.rank > 0) copy.bytes = bytes_of(copy.box);
  copy.offset = window.offset(shared, copy.bytes, "the destination of a copy");
  copy.barrier = window.offset(barrier, 8, "a barrier");
  check_place(copy);
  if (mask == 0) mask = 1u << me.block;
  require(mask >> count_ == 0, "a copy to the blocks of mask ", mask, " of a cluster of ", count_);
  for (unsigned rank = 0; rank < count_; ++rank) {
    if ((mask >> rank & 1) == 0) continue;
    PerBlock& to = other(me, rank, "a copy to");
    check_free(rank, copy);
    const unsigned by = rank == me.block ? me.thread : Barriers::kOutside;
    copy.block = rank;
    copy.phase = to.barriers.copy_starts(copy.barrier, static_cast<std::int64_t>(copy.bytes), by);
    const std::size_t end = copy.offset + copy.bytes;
    std::erase_if(to.fills, [&](const Fill& f) { return f.begin < end && copy.offset < f.end; });
    to.fills.push_back({copy.offset, end, copy.barrier, copy.phase, false});
    copies_.push_back(copy);
    const bool now = order_ == Order::kForward || (order_ == Order::kShuffled && random(2) == 0);
    if (now) finish(copies_.size() - 1);
  }
}

void UnderWay::finish(std::size_t which) {
  const Copy copy = copies_[which];
  copies_.erase(copies_.begin() + static_cast<std::ptrdiff_t>(which));
  perform(copy, (*windows_)[copy.block]);
  const auto bytes = static_cast<std::int64_t>(copy.bytes);
  publish_if(blocks_[copy.block].barriers.copy_arrives(copy.barrier, bytes, copy.phase), copy.block);
}

void UnderWay::pass() {
  if (order_ != Order::kShuffled) return;
  for (std::size_t i = copies_.size(); i > 0; --i) {
    if (i <= copies_.size() && random(4) == 0) finish(i - 1);
  }
}

bool UnderWay::arrive_one() {
  if (copies_.empty()) return false;
  finish(order_ == Order::kShuffled ? random(copies_.size()) : copies_.size() - 1);
  return true;
}

Warpgroup& UnderWay::warpgroup(Me me) {
  PerBlock& block = of(me);
  const unsigned group = me.thread / Warpgroup::kThreads;
  require(group < block.warpgroups.size(), "a wgmma by a warpgroup of fewer than 128 threads");
  return block.warpgroups[group];
}

void UnderWay::issue(Me me, const Wgmma& wgmma, float* d, const unsigned* a_registers) {
  Warpgroup& group = warpgroup(me);
  Window& window = (*windows_)[me.block];
  const bool all = group.issue(me.thread % Warpgroup::kThreads, wgmma, d, a_registers, window);
  const bool now = order_ == Order::kForward || (order_ == Order::kShuffled && random(2) == 0);
  if (all && now) group.perform(window, ~std::uint64_t{0});
}

bool UnderWay::wgmmas_are_done(Me me, std::uint64_t wanted) {
  Warpgroup& group = warpgroup(me);
  if (!group.done(wanted)) group.perform((*windows_)[me.block], wanted);
  return group.done(wanted);
}

void UnderWay::set_registers(Me me, int registers) {
  of(me).registers[me.thread] = registers;
}

void UnderWay::arrive_at_cluster(Me me, bool release, std::uint64_t times) {
  std::uint64_t& arrived = of(me).arrived[me.thread];
  require(arrived == 0, "an arrival at the cluster's barrier without a wait since the previous one");
  arrived = times + 1;
  released_ = released_ && release;
}

std::uint64_t UnderWay::arrived_at_cluster(Me me) const {
  require(active_ && blocks_[me.block].arrived[me.thread] > 0,
          "a wait at the cluster's barrier without an arrival");
  return blocks_[me.block].arrived[me.thread] - 1;
}

void UnderWay::leave_cluster_barrier(Me me) {
  of(me).arrived[me.thread] = 0;
}

const void* UnderWay::in_cluster(Me me, const void* mine, std::size_t bytes, unsigned rank) {
  const std::size_t offset = (*windows_)[me.block].offset(mine, bytes, "a read in the cluster");
  PerBlock& block = other(me, rank, "a read from");
  require(visible_ || rank == me.block, "a read from block ", rank,
          " of the cluster after cluster_arrive_relaxed(), which makes no writes visible");
  block.visited = block.visited || rank != me.block;
  return (*windows_)[rank].data() + offset;
}

void UnderWay::block_has_met(unsigned b) {
  PerBlock& block = blocks_[b];
  block.barriers.block_has_met();
  if (block.fences == 0) return;
  if (block.fences == threads_) (*windows_)[b].publish_staged();
  std::fill(block.fenced.begin(), block.fenced.end(), char{0});
  block.fences = 0;
}

void UnderWay::some_have_met(unsigned b, const std::vector<unsigned>& threads) {
  activate();
  PerBlock& block = blocks_[b];
  block.barriers.block_has_met();
  const auto fenced = [&block](unsigned t) { return block.fenced[t] != 0; };
  publish_if(std::all_of(threads.begin(), threads.end(), fenced), b);
  for (unsigned t : threads) {
    block.fences -= fenced(t) ? 1 : 0;
    block.fenced[t] = 0;
  }
}

void UnderWay::cluster_has_met() {
  activate();
  met_ = true;
  visible_ = std::exchange(released_, true);
  for (unsigned b = 0; b < count_; ++b) {
    blocks_[b].visited = false;
    if (!visible_) continue;
    block_has_met(b);
    blocks_[b].barriers.cluster_has_met();
  }
}

void UnderWay::block_has_ended(unsigned b) {
  PerBlock& block = blocks_[b];
  block.ended = true;
  for (const Warpgroup& group : block.warpgroups) group.check_end();
  for (const Fill& fill : block.fills) {
    require(fill.seen, "a block ends though no thread has waited for the copy to bytes ", fill.begin, " to ",
            fill.end, " of its shared memory");
  }
  block.barriers.check_end();
  for (unsigned t = 0; t < threads_; ++t)
    require(block.arrived[t] == 0, "a block ends though thread ", t,
            " has arrived at the cluster's barrier and not waited");
  require(!block.visited,
          "a block ends after another one of its cluster has read its shared memory, without "
          "cluster_sync() in between: it could also have read later");
  const int registers = std::accumulate(block.registers.begin(), block.registers.end(), 0);
  require(registers <= kRegisters, "the threads of a block use ", registers, " registers; there are ",
          kRegisters);
}

}  // namespace umbra::emulator
