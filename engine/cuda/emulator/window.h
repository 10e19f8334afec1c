// The shared memory of one emulated block: exactly as large as its launch asked for, full of NaN when the
// block starts, guarded at its end; and a second image of it, as tensor cores see it (the asynchronous proxy
// of the PTX memory model): copies write both, a thread's own writes reach the image when it is published.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/cuda/emulator/emulator.h"

namespace umbra::emulator {

class Window {
 public:
  /// Shared memory begins at this address, so that it is not taken for an offset.
  static constexpr unsigned kBase = 1024;

  /// Makes it that of a new block.
  void begin(std::size_t bytes);
  unsigned char* data() { return lines_.data()->bytes; }
  std::size_t bytes() const { return bytes_; }
  bool guard_is_intact() const;
  bool contains(const void* shared, std::size_t bytes) const;
  /// Where that is in the shared memory; Error, told as `what`, when it is not all there.
  std::size_t offset(const void* shared, std::size_t bytes, const char* what) const;

  /// What tensor cores see; NaN at first.
  const unsigned char* image();
  /// A copy's bytes: for threads and tensor cores alike.
  void deliver(std::size_t offset, const unsigned char* from, std::size_t bytes);
  /// Shows tensor cores all that threads have written.
  void publish();
  /// The same in two steps: what has been written until stage() is shown by publish_staged().
  void stage();
  void publish_staged();

 private:
  struct alignas(1024) Line {
    unsigned char bytes[1024];
  };
  std::vector<Line> lines_;  // with the guard behind the shared memory
  std::vector<unsigned char> image_, staged_;
  std::size_t bytes_ = 0;
};

}  // namespace umbra::emulator
