// Parts: the tensors of an op that does the same to many of them in one call (an optimiser's step over all
// parameters of a network). What is launched once per tensor costs more than the work itself when most
// tensors are small, as those of a network are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace umbra {

struct Part {
  std::int64_t count;
  bool gradient_absent = false;  // of an optimiser's: its gradient is zero and no buffer holds it
  bool image = false;            // of an optimiser's: it writes the new numbers as bfloat16, too
};
using Parts = std::vector<Part>;

inline std::int64_t total_count(const Parts& parts) {
  std::int64_t total = 0;
  for (const Part& part : parts) total += part.count;
  return total;
}

/// "n33", "n3+0+17*+8~" (the star: without a gradient; the tilde: with an image), and of many "n299142 in
/// 62", behind it a tilde where some have images.
inline std::string text_of(const Parts& parts) {
  constexpr std::size_t kMostInText = 8;
  if (parts.size() > kMostInText) {
    const bool images = std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.image; });
    return concat("n", total_count(parts), " in ", parts.size(), images ? "~" : "");
  }
  std::string text = "n";
  for (const Part& part : parts) {
    text += concat(text.size() > 1 ? "+" : "", part.count, part.gradient_absent ? "*" : "",
                   part.image ? "~" : "");
  }
  return text;
}

}  // namespace umbra
