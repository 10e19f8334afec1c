#include "engine/cuda/emulator/barriers.h"

#include "engine/base/error.h"

namespace umbra::emulator {
namespace {

constexpr std::int64_t kBytesEnd = 1 << 20;  // a phase counts fewer bytes
constexpr unsigned kWarp = 32;

// A barrier's name, formatted only when a message needs it.
struct Name {
  std::size_t offset;

  std::string text() const { return concat("the barrier at byte ", offset); }
};

}  // namespace

void Barriers::init(std::size_t offset, unsigned arrivals, unsigned thread) {
  require(offset % 8 == 0, Name{offset}, " is not at a multiple of 8");
  require(arrivals >= 1 && arrivals < kBytesEnd, Name{offset}, " is initialised with ", arrivals,
          " arrivals");
  State state;
  state.arrivals = state.missing = arrivals;
  state.by = thread;
  require(all_.emplace(offset, state).second, Name{offset}, " is initialised a second time");
}

void Barriers::fence(unsigned thread) {
  for (auto& [offset, state] : all_) {
    if (state.by == thread) state.fenced = true;
  }
}

void Barriers::met(bool cluster) {
  for (auto& [offset, state] : all_) {
    state.met = true;
    if (!cluster) continue;
    state.met_cluster = true;
    state.remote = 0;
  }
}

const Barriers::State& Barriers::use(std::size_t offset, unsigned thread, const char* how) const {
  const auto found = all_.find(offset);
  require(found != all_.end(), Name{offset}, " is ", how, " before it is initialised");
  const State& state = found->second;
  if (thread == kOutside) {
    require(state.fenced && state.met_cluster, Name{offset}, " is ", how,
            " by another block without barrier_init_fence() and cluster_sync() after its initialisation");
  } else {
    require(state.met || thread / kWarp == state.by / kWarp, Name{offset}, " is ", how, " by thread ", thread,
            " before a barrier of the block after its initialisation");
  }
  return state;
}
Barriers::State& Barriers::use(std::size_t offset, unsigned thread, const char* how) {
  return const_cast<State&>(static_cast<const Barriers&>(*this).use(offset, thread, how));
}

bool Barriers::arrive(std::size_t offset, unsigned thread, std::int64_t bytes, bool plain, bool fenced) {
  State& state = use(offset, thread, "used");
  require(state.missing > 0, "more than the ", state.arrivals, " arrivals that phase ", state.phase, " of ",
          Name{offset}, " expects: a double arrival");
  if (thread == kOutside) state.remote = state.phase + 1;
  --state.missing;
  state.bytes += bytes;
  require(state.bytes < kBytesEnd, Name{offset}, " expects ", state.bytes,
          " bytes in one phase, 2^20 or more");
  state.plain_arrivals += plain ? 1 : 0;
  state.fenced_arrivals += plain && fenced ? 1 : 0;
  return may_end(offset, state);
}

std::uint64_t Barriers::copy_starts(std::size_t offset, std::int64_t bytes, unsigned thread) {
  State& state = use(offset, thread, "given a copy");
  require(state.fenced, Name{offset},
          " is given a copy without barrier_init_fence() after its initialisation");
  state.under_way += bytes;
  return state.phase;
}

bool Barriers::copy_arrives(std::size_t offset, std::int64_t bytes, std::uint64_t phase) {
  State& state = all_.at(offset);
  state.under_way -= bytes;
  require(state.phase == phase, "a copy of ", bytes, " bytes that was started in phase ", phase, " of ",
          Name{offset}, " arrives in phase ", state.phase, ": phase ", phase,
          " ended without it, too few bytes were expected");
  state.bytes -= bytes;
  require(state.bytes > -kBytesEnd, Name{offset}, " is delivered more than 2^20 bytes in one phase");
  return may_end(offset, state);
}

bool Barriers::may_end(std::size_t offset, State& state) {
  if (state.missing > 0) return false;
  require(state.bytes >= 0, "phase ", state.phase, " of ", Name{offset}, " is delivered ", -state.bytes,
          " bytes more than it expects");
  if (state.bytes > 0) return false;
  require(state.phase == 0 || state.seen >= state.phase, "phase ", state.phase, " of ", Name{offset},
          " ends before any thread has waited for phase ", state.phase - 1,
          ": an arrival too many, or its stage is reused too early");
  const bool publish = state.plain_arrivals > 0 && state.fenced_arrivals == state.plain_arrivals;
  ++state.phase;
  state.missing = state.arrivals;
  state.plain_arrivals = state.fenced_arrivals = 0;
  return publish;
}

bool Barriers::ended(std::size_t offset, unsigned parity) {
  State& state = all_.at(offset);
  if ((state.phase & 1) == parity) return false;
  state.seen = state.phase;
  if (state.remote <= state.phase) state.remote = 0;
  return true;
}

std::string Barriers::why_waiting(std::size_t offset, unsigned parity) const {
  const State& state = all_.at(offset);
  return concat("for the phase of parity ", parity, " of ", Name{offset}, ", which is in phase ", state.phase,
                ": ", state.missing, " of ", state.arrivals, " arrivals and ", state.bytes,
                " bytes are missing, ", state.under_way, " bytes are under way");
}

void Barriers::check_end() const {
  for (const auto& [offset, state] : all_) {
    require(state.bytes == 0, "the block ends while ", Name{offset},
            state.bytes > 0 ? " still expects " : " was delivered too many: ", std::abs(state.bytes),
            " bytes");
    require(state.under_way == 0, "the block ends while copies for ", Name{offset}, " are under way");
    require(state.remote == 0, "the block ends though another block has arrived at ", Name{offset},
            " and no thread has waited for that arrival: it could also have come later");
  }
}

}  // namespace umbra::emulator
