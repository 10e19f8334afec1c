// The mbarriers of one emulated block: each an automaton of phases, arrivals and bytes that knows its own
// rules and says in words which one was broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace umbra::emulator {

class Barriers {
 public:
  /// Everything is called on behalf of a thread of this block, or of kOutside: another block, a copy.
  static constexpr unsigned kOutside = ~0u;

  void begin() { all_.clear(); }
  void init(std::size_t offset, unsigned arrivals, unsigned thread);
  /// That thread has made those it initialised known to copies and to the cluster.
  void fence(unsigned thread);
  /// The block, or the whole cluster, has met at a barrier.
  void block_has_met() { met(false); }
  void cluster_has_met() { met(true); }

  /// An arrival that announces `bytes`. `fenced`: the thread's writes may be shown to tensor cores when the
  /// phase ends. Returns whether it ends and they are to be shown.
  bool arrive(std::size_t offset, unsigned thread, std::int64_t bytes, bool plain, bool fenced);
  /// The running phase, for a copy that starts; Error when copies cannot know the barrier yet.
  std::uint64_t copy_starts(std::size_t offset, std::int64_t bytes, unsigned thread);
  /// A copy delivers what it took along in `phase`. Returns as arrive() does.
  bool copy_arrives(std::size_t offset, std::int64_t bytes, std::uint64_t phase);
  void may_wait(std::size_t offset, unsigned thread) const { use(offset, thread, "waited for"); }
  /// Whether a wait for this parity is over; then its phase has been seen by somebody.
  bool ended(std::size_t offset, unsigned parity);
  /// The phase that runs.
  std::uint64_t phase(std::size_t offset) const { return all_.at(offset).phase; }
  /// The sentence of a thread that waits for ever.
  std::string why_waiting(std::size_t offset, unsigned parity) const;
  /// Error when something was still to come when the block ended.
  void check_end() const;

 private:
  struct State {
    unsigned arrivals = 0, missing = 0;
    std::int64_t bytes = 0;             // announced and not delivered, in the running phase
    std::int64_t under_way = 0;         // of copies that have started
    std::uint64_t phase = 0, seen = 0;  // `seen` phases have ended and been waited for
    std::uint64_t remote = 0;           // 1 + the last phase in which another block arrived
    unsigned by = 0;                    // the thread that initialised it
    bool fenced = false, met = false, met_cluster = false;
    unsigned plain_arrivals = 0, fenced_arrivals = 0;  // of the running phase
  };

  void met(bool cluster);
  State& use(std::size_t offset, unsigned thread, const char* how);
  const State& use(std::size_t offset, unsigned thread, const char* how) const;
  bool may_end(std::size_t offset, State& state);

  std::map<std::size_t, State> all_;
};

}  // namespace umbra::emulator
