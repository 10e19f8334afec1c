// The mbarriers of one emulated block: each is a state machine of phases, arrivals and bytes that checks its
// rules and throws an Error naming the violated one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace umbra::emulator {

class Barriers {
 public:
  /// Functions are called on behalf of a thread of this block, or of kOutside: another block or a copy.
  static constexpr unsigned kOutside = ~0u;

  void begin() { all_.clear(); }
  void init(std::size_t offset, unsigned arrivals, unsigned thread);
  /// The thread has made the barriers that it initialised visible to copies and to the cluster.
  void fence(unsigned thread);
  /// The block, or the whole cluster, has met at a barrier.
  void block_has_met() { met(false); }
  void cluster_has_met() { met(true); }

  /// An arrival that announces `bytes`. `fenced`: the thread's writes may become visible to tensor cores when
  /// the phase ends. Returns whether the phase ends and the writes become visible.
  bool arrive(std::size_t offset, unsigned thread, std::int64_t bytes, bool plain, bool fenced);
  /// The current phase, for a copy that starts. Throws Error if the barrier is not yet visible to copies.
  std::uint64_t copy_starts(std::size_t offset, std::int64_t bytes, unsigned thread);
  /// A copy started in `phase` delivers its bytes. Returns the same as arrive().
  bool copy_arrives(std::size_t offset, std::int64_t bytes, std::uint64_t phase);
  void may_wait(std::size_t offset, unsigned thread) const { use(offset, thread, "waited for"); }
  /// Whether a wait for this parity is over; if so, marks the phase as waited for.
  bool ended(std::size_t offset, unsigned parity);
  /// The current phase.
  std::uint64_t phase(std::size_t offset) const { return all_.at(offset).phase; }
  /// What a thread that waits forever is waiting for, for the error message.
  std::string why_waiting(std::size_t offset, unsigned parity) const;
  /// Throws Error if arrivals or bytes are outstanding when the block ends.
  void check_end() const;

 private:
  struct State {
    unsigned arrivals = 0, missing = 0;
    std::int64_t bytes = 0;             // announced and not yet delivered, in the current phase
    std::int64_t under_way = 0;         // bytes of copies in flight
    std::uint64_t phase = 0, seen = 0;  // `seen` phases have ended and been waited for
    std::uint64_t remote = 0;           // 1 + the last phase in which another block arrived
    unsigned by = 0;                    // the thread that initialised it
    bool fenced = false, met = false, met_cluster = false;
    unsigned plain_arrivals = 0, fenced_arrivals = 0;  // of the current phase
  };

  void met(bool cluster);
  State& use(std::size_t offset, unsigned thread, const char* how);
  const State& use(std::size_t offset, unsigned thread, const char* how) const;
  bool may_end(std::size_t offset, State& state);

  std::map<std::size_t, State> all_;
};

}  // namespace umbra::emulator
