#include "engine/cuda/emulator/copies.h"

#include <cstring>

#include "engine/base/error.h"

namespace umbra::emulator {
namespace {

constexpr std::size_t kChunk = 16;

// The elements of one 16-byte chunk of a row, zeros outside the tensor.
void fetch_chunk(const Box& box, const std::int64_t (&place)[5], unsigned char* chunk) {
  std::memset(chunk, 0, kChunk);
  const auto* row = static_cast<const unsigned char*>(box.data);
  for (int d = 1; d < box.rank; ++d) {
    if (place[d] < 0 || static_cast<std::uint64_t>(place[d]) >= box.extent[d]) return;
    row += static_cast<std::uint64_t>(place[d]) * box.pitch[d - 1];
  }
  const auto bytes = static_cast<std::size_t>(box.element_bytes);
  for (std::size_t e = 0; e < kChunk / bytes; ++e) {
    const std::int64_t x = place[0] + static_cast<std::int64_t>(e);
    if (x >= 0 && static_cast<std::uint64_t>(x) < box.extent[0])
      std::memcpy(chunk + e * bytes, row + static_cast<std::size_t>(x) * bytes, bytes);
  }
}

}  // namespace

void check_box(const Box& box) {
  constexpr std::uint64_t kPitchEnd = std::uint64_t{1} << 40, kExtentEnd = std::uint64_t{1} << 32;
  require(box.element_bytes == 2 || box.element_bytes == 4, "a tensor map of elements of ", box.element_bytes,
          " bytes");
  require(box.rank >= 2 && box.rank <= 5, "a tensor map of rank ", box.rank);
  require(reinterpret_cast<std::uintptr_t>(box.data) % 16 == 0 && box.data != nullptr,
          "the data of a tensor map do not start at a multiple of 16 bytes");
  for (int d = 0; d < box.rank; ++d) {
    require(box.extent[d] > 0 && box.extent[d] <= kExtentEnd, "extent ", box.extent[d], " of dimension ", d,
            " of a tensor map");
    require(box.box[d] >= 1 && box.box[d] <= 256, "a box of ", box.box[d], " in dimension ", d,
            " of a tensor map: 1 to 256 is allowed");
    if (d == 0) continue;
    require(box.pitch[d - 1] % 16 == 0 && box.pitch[d - 1] < kPitchEnd, "the pitch of dimension ", d,
            " of a tensor map is ", box.pitch[d - 1], " bytes, not a multiple of 16 below 2^40");
  }
  const std::size_t row = box.box[0] * static_cast<std::size_t>(box.element_bytes);
  require(row % 16 == 0, "the rows of a box are ", row, " bytes, not a multiple of 16");
  require(box.swizzle == Swizzle::kNone || row == swizzle_row(box.swizzle), "the rows of a box are ", row,
          " bytes, but its swizzle has rows of ", swizzle_row(box.swizzle));
}

std::size_t bytes_of(const Box& box) {
  auto bytes = static_cast<std::size_t>(box.element_bytes);
  for (int d = 0; d < box.rank; ++d) bytes *= box.box[d];
  return bytes;
}

void check_place(const Copy& copy) {
  const std::size_t multiple = copy.box.rank == 0                   ? 16
                               : copy.box.swizzle == Swizzle::kNone ? 128
                                                                    : swizzle_atom(copy.box.swizzle);
  require(copy.offset % multiple == 0, "a copy to byte ", copy.offset,
          " of shared memory, which is not a multiple of ", multiple);
  if (copy.box.rank > 0) return;
  require(reinterpret_cast<std::uintptr_t>(copy.global) % 16 == 0 && copy.bytes % 16 == 0 && copy.bytes > 0,
          "a copy of ", copy.bytes, " bytes from ", copy.global, ": both must be multiples of 16");
}

void perform(const Copy& copy, Window& window) {
  if (copy.box.rank == 0)
    return window.deliver(copy.offset, static_cast<const unsigned char*>(copy.global), copy.bytes);
  const Box& box = copy.box;
  std::int64_t place[5] = {};
  unsigned step[5] = {};  // within the box; dimension 0 in elements
  for (int d = 0; d < box.rank; ++d) place[d] = copy.at[d];
  const auto elements = static_cast<unsigned>(kChunk) / static_cast<unsigned>(box.element_bytes);
  for (std::size_t offset = 0; offset < copy.bytes; offset += kChunk) {
    unsigned char chunk[kChunk];
    fetch_chunk(box, place, chunk);
    const unsigned address = Window::kBase + static_cast<unsigned>(copy.offset + offset);
    window.deliver(swizzled(address, box.swizzle) - Window::kBase, chunk, kChunk);
    for (int d = 0; d < box.rank; ++d) {  // advances to the next chunk
      step[d] += d == 0 ? elements : 1;
      if (step[d] < box.box[d]) {
        place[d] = copy.at[d] + static_cast<std::int64_t>(step[d]);
        break;
      }
      step[d] = 0;
      place[d] = copy.at[d];
    }
  }
}

}  // namespace umbra::emulator
