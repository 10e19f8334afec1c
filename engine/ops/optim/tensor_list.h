// The tensors of an op that does the same to many of them in one call (an optimiser's step over all
// parameters of a network). What is launched once per tensor costs more than the work itself when most
// tensors are small, as those of a network are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace umbra {

struct TensorSpec {
  std::int64_t count;            // elements
  bool gradient_absent = false;  // of an optimiser's: its gradient is zero and no buffer holds it
  bool bf16_copy = false;        // of an optimiser's: it writes the new numbers as bfloat16, too
  std::int64_t share_at = 1;     // of SGD with dampening: where in its scalars this tensor's share stands
};
using TensorList = std::vector<TensorSpec>;

inline std::int64_t total_count(const TensorList& tensors) {
  std::int64_t total = 0;
  for (const TensorSpec& tensor : tensors) total += tensor.count;
  return total;
}

/// "n33", "n3+0+17*+8~" (the star: without a gradient; the tilde: with a bf16 copy), and of many "n299142 in
/// 62", behind it a tilde where some have bf16 copies.
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
