// The HDF5 library (1.10.8 of Debian 12) can crash or loop on a damaged file. Readers therefore register
// the file they read. A program that has called handle_crashes() then ends with an error message that names
// the file instead of a segmentation fault, and leaves no half-written file.
#pragma once

namespace umbra {

/// Registers a file as being read by the HDF5 library, for the lifetime of the guard. Guards may nest; the
/// outer one counts. Not thread-safe: guards of HDF5 files are made while a thread has its turn (hdf5_internal.h).
class CrashGuard {
 public:
  /// What the library reads.
  enum class Work {
    kStructure,  ///< metadata, which takes much less than half a second: more is taken for a loop (LoopWatch)
    kNumbers     ///< data, which may take any time
  };
  /// `file` must outlive the guard; null: no file of another program is being read.
  CrashGuard(const char* file, Work work) noexcept;
  /// Restores the outer guard.
  ~CrashGuard();
  CrashGuard(const CrashGuard&) = delete;
  CrashGuard& operator=(const CrashGuard&) = delete;

 private:
  const char* before_;
};

/// While a LoopWatch exists, a CrashGuard for structure that takes half a second of CPU time is taken for a
/// loop. An open file has one, because a timer for every call would cost more than the calls.
class LoopWatch {
 public:
  /// Starts the timer of the process if this is the first one.
  LoopWatch();
  /// Stops the timer of the process if this is the last one.
  ~LoopWatch();
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;
};

/// Installs handlers that end the process on a crash or a loop. Inside a CrashGuard the process ends with
/// exit status 1 and a message on standard error that begins with the name `program`. A crash elsewhere is
/// a fault of umbra and ends the process with its signal. Temporary files are removed in both cases.
/// `program` must live as long as the process.
void handle_crashes(const char* program);

}  // namespace umbra
