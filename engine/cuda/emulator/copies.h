// Copies into emulated shared memory, of boxes of tensors and of plain bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cuda/emulator/async.h"
#include "engine/cuda/emulator/window.h"

namespace umbra::emulator {

/// A copy that has been started: its source, its destination (byte and block) and the phase it belongs to.
struct Copy {
  Box box;  // rank 0: a copy of plain bytes
  int at[5] = {};
  const void* global = nullptr;  // source of plain bytes
  std::size_t offset = 0, bytes = 0, barrier = 0;
  unsigned block = 0;
  std::uint64_t phase = 0;
};

std::size_t bytes_of(const Box& box);
/// Throws Error if a copy to this byte of shared memory violates a rule.
void check_place(const Copy& copy);
/// Fetches the source as it is now and writes it into the block's window.
void perform(const Copy& copy, Window& window);

}  // namespace umbra::emulator
