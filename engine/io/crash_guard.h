// The HDF5 library (1.10.8 of Debian 12) can crash or loop on a damaged file. Its readers say which file is
// being read; a program that has installed handle_crashes() then ends with one sentence that names it instead
// of a segmentation fault, and leaves nothing half-written.
#pragma once

namespace umbra {

/// While it lives, the library reads `file`; null: nothing foreign. Guards may nest. Not for several threads,
/// as HDF5 is not.
class CrashGuard {
 public:
  /// What the library does: numbers may take as long as they are many, all else is over at once.
  enum class Work { kStructure, kNumbers };
  CrashGuard(const char* file, Work work) noexcept;
  ~CrashGuard();
  CrashGuard(const CrashGuard&) = delete;
  CrashGuard& operator=(const CrashGuard&) = delete;

 private:
  const char* before_;
};

/// While one lives, a guard for structure that takes half a second of work is taken for a loop. A file that
/// is open has one: a timer for every call would cost more than the calls.
class LoopWatch {
 public:
  LoopWatch();
  ~LoopWatch();
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;
};

/// From now on a crash or a loop ends the process: inside a guard with exit status 1 and a sentence of
/// `program` on standard error; a crash elsewhere, as a fault of umbra's own, with its signal. Temporary
/// files are removed either way. `program` must live as long as the process.
void handle_crashes(const char* program);

}  // namespace umbra
