// The description of a tensor map (tma.h), for kernels and emulator, and the refusal of a map.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/error.h"
#include "engine/cuda/tile/operand_layout.h"
#include "engine/runtime/launch_refusal.h"

namespace umbra {

/// The box is stored without gaps, dimension 0 innermost, its bytes at swizzled() addresses. Elements outside
/// the tensor are stored as zeros. Rules: the data start at a multiple of 16 bytes; pitches are multiples of
/// 16; boxes are at most 256 long; a box's row is a multiple of 16 bytes and, with a swizzle, exactly one row
/// of it.
struct TensorMapSpec {
  const void* data;
  int element_bytes;        // 2: bf16, 4: float
  int rank;                 // 2 to 5
  std::uint64_t extent[5];  // elements, innermost first
  std::uint64_t pitch[4];   // bytes from one element to the next in dimensions 1 …
  unsigned box[5];          // elements
  Swizzle swizzle;
};

/// Prevents all launches of this thread until Backend::launch_error() has reported the refusal.
inline void refuse_tensor_map(const TensorMapSpec& spec, std::string_view why) {
  if (!launch_refusal().empty()) return;  // only the first one is reported
  const auto list = [&](const auto* numbers, int count) {
    std::string text;
    for (int d = 0; d < count; ++d) text += concat(d > 0 ? " x " : "", numbers[d]);
    return text;
  };
  const int rank = spec.rank < 1 ? 1 : spec.rank > 5 ? 5 : spec.rank;
  launch_refusal() = concat(
      "a tensor map of ", list(spec.extent, rank), " elements of ", spec.element_bytes, " bytes at address ",
      spec.data, ", pitches ", list(spec.pitch, rank - 1), " bytes, boxes of ", list(spec.box, rank),
      ", swizzle of ", swizzle_row(spec.swizzle), " bytes, was refused: ", why, "; nothing was launched");
}

}  // namespace umbra
