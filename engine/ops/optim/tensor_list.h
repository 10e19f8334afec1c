// The tensors of an op that does the same to many of them in one call (an optimiser's step over all
// parameters of a network). One launch per tensor would cost more than the work itself when most tensors
// are small, as in a network.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace umbra {

struct TensorSpec {
  std::int64_t count;            // elements
  bool gradient_absent = false;  // for optimisers: the gradient is zero and has no buffer
  bool bf16_copy = false;        // for optimisers: also write the new numbers as bfloat16
  std::int64_t share_at = 1;     // for SGD with dampening: index of the share in the scalars
};
using TensorList = std::vector<TensorSpec>;

inline std::int64_t total_count(const TensorList& tensors) {
  std::int64_t total = 0;
  for (const TensorSpec& tensor : tensors) total += tensor.count;
  return total;
}

/// "n33", "n3+0+17*+8~" (the star: without a gradient; the tilde: with a bf16 copy), and for many tensors
/// "n299142 in 62", followed by a tilde where some have bf16 copies.
inline std::string text_of(const TensorList& tensors) {
  constexpr std::size_t kMostInText = 8;
  if (tensors.size() > kMostInText) {
    const bool copies =
        std::any_of(tensors.begin(), tensors.end(), [](const TensorSpec& t) { return t.bf16_copy; });
    return concat("n", total_count(tensors), " in ", tensors.size(), copies ? "~" : "");
  }
  std::string text = "n";
  for (const TensorSpec& tensor : tensors) {
    text += concat(text.size() > 1 ? "+" : "", tensor.count, tensor.gradient_absent ? "*" : "",
                   tensor.bf16_copy ? "~" : "");
  }
  return text;
}

}  // namespace umbra
