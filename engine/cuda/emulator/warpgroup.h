// The wgmmas of one emulated warpgroup: issued thread by thread, performed for all 128 together at a time
// that the emulator chooses. Their sums are kept out of the threads' registers until the threads have waited.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <vector>

#include "engine/cuda/emulator/async.h"
#include "engine/cuda/emulator/window.h"

namespace umbra::emulator {

class Warpgroup {
 public:
  static constexpr unsigned kThreads = 128;
  static constexpr int kMostSums = 128;  // of a thread

  void begin();
  void fence(unsigned thread) { threads_[thread].fenced = true; }
  /// Returns whether this was the last of the 128 threads.
  bool issue(unsigned thread, const Wgmma& wgmma, float* d, const unsigned* a_registers, Window& window);
  void commit(unsigned thread);
  /// The number of wgmmas, from the first, that must be done for a wait that leaves `left` groups.
  std::uint64_t wanted(unsigned thread, int left) const;
  /// Performs the wgmmas that all threads have issued, at most the first `until`.
  void perform(Window& window, std::uint64_t until);
  bool done(std::uint64_t wanted) const { return done_ >= wanted; }
  /// The thread has waited: its accumulators are in its registers again.
  void finish_wait(unsigned thread, std::uint64_t wanted);
  /// Whether a wgmma that no thread has waited for reads any of these bytes of shared memory.
  bool may_read(std::size_t begin, std::size_t end) const;
  /// What a waiting thread is waiting for, for the error message.
  std::string why_waiting() const;
  /// Throws Error if a thread has not waited for a wgmma that it issued.
  void check_end() const;

 private:
  // Where an operand's elements are: (mn, k) is `from` + (*places)[mn * steps + k] bytes into shared memory.
  struct Operand {
    const std::vector<unsigned>* places = nullptr;
    unsigned from = 0;
  };
  // Accumulators of a thread that wgmmas in flight write.
  struct Sums {
    float* d;
    int count;
    std::uint64_t end;  // 1 + the number of the last wgmma
    std::array<float, kMostSums> value;
  };
  struct Thread {
    std::uint64_t issued = 0;
    std::vector<std::uint64_t> groups;  // ends of the committed groups, as numbers of wgmmas
    std::list<Sums> sums;               // a list: pointers to its elements stay valid
    bool fenced = false;
  };
  struct Issued {
    Wgmma wgmma;
    std::bitset<kThreads> by;
    std::array<Sums*, kThreads> sums{};
    std::vector<std::array<unsigned, 4>> a_registers;
    Operand a, b;
  };
  struct Reading {
    std::uint64_t number;
    std::size_t begin, end;
  };

  Sums& sums_of(unsigned thread, float* d, int count);
  Operand locate(std::uint64_t number, std::uint64_t descriptor, Major major, int count, int element_bytes,
                 const char* name, const Window& window);
  void multiply(const Issued& issued, Window& window);

  std::array<Thread, kThreads> threads_;
  std::list<Sums> free_;       // for the next accumulators: to allocate each takes a tenth of a run
  std::deque<Issued> issued_;  // not done yet; the first is number done_
  std::vector<Reading> reading_;
  std::uint64_t done_ = 0;
};

}  // namespace umbra::emulator
