// Which threads wait for which, and the error message of a deadlock.
#include <algorithm>
#include <bit>

#include "engine/cuda/emulator/scheduler.h"

namespace umbra::emulator {
namespace {

constexpr unsigned kNamedBarriers = 16;

}  // namespace

// Releases the threads of a block if all of them wait for it. Returns whether they did.
bool Scheduler::release_block(unsigned block) {
  if (at_block_[block] != count_) return false;
  at_block_[block] = 0;
  for (unsigned t = 0; t < count_; ++t) make_ready(*threads_[block * count_ + t]);
  if (under_way_.active()) under_way_.block_has_met(block);
  return true;
}

bool Scheduler::release_met() {
  bool any = false;
  for (unsigned t = 0; until_ > 0 && t < all_; ++t) {
    Thread& thread = *threads_[t];
    if (thread.state != State::kUntil || !thread.met()) continue;
    make_ready(thread);
    --until_;
    any = true;
  }
  return any;
}

bool Scheduler::release() {
  bool any = false;
  for (unsigned b = 0; b < size_; ++b) any = release_block(b) || any;
  if (!under_way_.active()) return any;
  under_way_.pass();
  any = release_met() || any;
  while (!any && under_way_.arrive_one()) any = release_met();
  return any;
}

void Scheduler::explain_deadlock() const {
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
  require(!all.empty(), "no thread can continue");
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

void Scheduler::wait_at_named_barrier(int id, int threads) {
  const unsigned wanted = static_cast<unsigned>(threads), block = me().block;
  require(id >= 1 && id < static_cast<int>(kNamedBarriers), "named barrier ", id,
          " does not exist; 1 to 15 do");
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

void Scheduler::arrive_at_cluster(bool release) {
  under_way_.arrive_at_cluster(me_, release, cluster_.times);
  cluster_.arrived.push_back(current_);
  if (cluster_.arrived.size() < all_) return;
  cluster_.arrived.clear();
  ++cluster_.times;
  under_way_.cluster_has_met();
}

void Scheduler::wait_for_cluster() {
  const Me me = me_;
  const std::uint64_t times = under_way_.arrived_at_cluster(me);
  wait_until([this, times] { return cluster_.times != times; },
             [this] {
               return concat("for ", all_ - cluster_.arrived.size(), " of ", all_, " threads of its cluster");
             });
  under_way_.leave_cluster_barrier(me);
}

// The last lane to arrive processes the offers of all and continues; the others wait for their next turn.
void Scheduler::meet_in_warp(unsigned mask, void* offer, void (*all)(const WarpOffers&)) {
  const unsigned me = lane(), bit = 1u << me;
  if ((mask & bit) == 0) fail("lane ", me, " shuffles without being in its mask");
  Thread& mine = *threads_[current_];
  mine.mask = mask;
  mine.offer = offer;
  unsigned& arrived = arrived_[warp_];
  const unsigned wanted = mask & present_;
  arrived |= bit;
  if ((arrived & wanted) != wanted) return wait(State::kAtWarp);
  WarpOffers offers{};
  for (unsigned left = arrived; left != 0; left &= left - 1) {
    const auto l = static_cast<unsigned>(std::countr_zero(left));
    Thread& other = *threads_[current_ - me + l];
    if ((other.mask & wanted) == 0) continue;  // it waits for others
    if (other.mask != mask) fail("lanes ", me, " and ", l, " meet with different masks");
    offers[l] = other.offer;
    make_ready(other);
  }
  arrived &= ~wanted;
  all(offers);
}

std::uint64_t Scheduler::exchange(unsigned mask, std::uint64_t value, unsigned from) {
  struct Offer {
    std::uint64_t value;
    unsigned from;
    std::uint64_t taken;
  };
  const unsigned last = static_cast<unsigned>(std::bit_width(present_)) - 1;
  Offer mine{value, std::min(from % kWarp, last), 0};
  if ((mask >> mine.from & 1u) == 0)
    fail("lane ", lane(), " reads from lane ", mine.from, ", which is not in its mask");
  meet_in_warp(mask, &mine, [](const WarpOffers& offers) {
    for (void* offer : offers) {
      if (offer == nullptr) continue;
      Offer& taker = *static_cast<Offer*>(offer);
      taker.taken = static_cast<const Offer*>(offers[taker.from])->value;
    }
  });
  return mine.taken;
}

}  // namespace umbra::emulator
