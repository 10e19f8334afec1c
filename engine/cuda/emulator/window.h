// The shared memory of one emulated block: exactly as large as its launch requested, full of NaN when the
// block starts, guarded at its end. A second image of it is what tensor cores see (the asynchronous proxy of
// the PTX memory model): copies write to both, a thread's own writes reach the image when it is published.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/cuda/emulator/emulator.h"

namespace umbra::emulator {

class Window {
 public:
  /// Shared memory begins at this address, so that addresses cannot be mistaken for offsets.
  static constexpr unsigned kBase = 1024;

  /// Resets it for a new block.
  void begin(std::size_t bytes);
  unsigned char* data() { return lines_.data()->bytes; }
  std::size_t bytes() const { return bytes_; }
  bool guard_is_intact() const;
  bool contains(const void* shared, std::size_t bytes) const;
  /// The offset of `shared` in the shared memory. Throws Error, naming it `what`, if it is not completely
  /// inside.
  std::size_t offset(const void* shared, std::size_t bytes, const char* what) const;

  /// What tensor cores see; initially NaN.
  const unsigned char* image();
  /// Writes a copy's bytes, visible to threads and tensor cores.
  void deliver(std::size_t offset, const unsigned char* from, std::size_t bytes);
  /// Makes all that threads have written visible to tensor cores.
  void publish();
  /// The same in two steps: publish_staged() makes visible what was written before stage().
  void stage();
  void publish_staged();

 private:
  struct alignas(1024) Line {
    unsigned char bytes[1024];
  };
  std::vector<Line> lines_;  // the shared memory followed by the guard
  std::vector<unsigned char> image_, staged_;
  std::size_t bytes_ = 0;
};

}  // namespace umbra::emulator
