// What becomes of the losses of a batch.
#pragma once

#include <string_view>

namespace umbra {

/// One number, their mean or their sum, or kNone: they stay what they are.
enum class Reduce { kMean, kSum, kNone };

/// Behind an op's text: "" (the mean), " sum", " none".
constexpr std::string_view reduce_text(Reduce reduce) {
  switch (reduce) {
    case Reduce::kMean:
      return "";
    case Reduce::kSum:
      return " sum";
    case Reduce::kNone:
      return " none";
  }
  return "?";
}

}  // namespace umbra
