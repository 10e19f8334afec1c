// Lists of words in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// "fit, search and export" with the conjunction "and"; without one "fit, search, export". `quote` is put before and
/// after every word.
inline std::string listed(const std::vector<std::string>& words, std::string_view conjunction = "",
                          std::string_view quote = "") {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_last = i + 1 == words.size() && !conjunction.empty();
    if (i > 0) text += is_last ? " " + std::string(conjunction) + " " : ", ";
    text.append(quote).append(words[i]).append(quote);
  }
  return text;
}

}  // namespace umbra
