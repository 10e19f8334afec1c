// How the losses of a batch are reduced.
#pragma once

#include <string_view>

namespace umbra {

/// To one number, their mean or their sum, or not at all.
enum class Reduce { kMean, kSum, kNone };

/// The end of an op's text: "" (the mean), " sum", " none".
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
