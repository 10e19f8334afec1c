// The HDF5 library (1.10.8 of Debian 12) can crash or loop on a damaged file. Its readers say which file is
// being read; a program that has installed handle_crashes() then ends with one sentence that names it instead
// of a segmentation fault, and leaves nothing half-written.
#pragma once

namespace umbra {

/// While it lives, the library reads `file`. Guards may nest. Not for several threads, as HDF5 is not.
class CrashGuard {
 public:
  explicit CrashGuard(const char* file) noexcept;
  ~CrashGuard();
  CrashGuard(const CrashGuard&) = delete;
  CrashGuard& operator=(const CrashGuard&) = delete;

 private:
  const char* before_;
};

/// From now on a crash ends the process: inside a guard with exit status 1 and a sentence of `program` on
/// standard error, elsewhere, as a fault of umbra's own, with the signal. Temporary files are removed either
/// way. `program` must live as long as the process.
void handle_crashes(const char* program);

}  // namespace umbra
