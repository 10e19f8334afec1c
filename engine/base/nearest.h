// What a misspelt word was meant to be: the nearest of the words that exist.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// `text` in lower case (ASCII).
inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

/// The smallest number of letters to insert, remove, replace or swap with their neighbour to turn one word into
/// the other ("optimal string alignment").
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = last;
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

/// How far a misspelt word is from one that exists: edit_distance(), or one if it is the beginning of it, three
/// letters at least.
inline std::size_t misspelling(std::string_view word, std::string_view existing) {
  constexpr std::size_t kShort = 3;
  const std::size_t edits = edit_distance(word, existing);
  return word.size() >= kShort && existing.starts_with(word) ? std::min<std::size_t>(edits, 1) : edits;
}

/// The edits that a misspelling of a word may have: one for every three letters, at least one.
inline std::size_t most_edits(std::string_view word) {
  return std::max<std::size_t>(1, word.size() / 3);
}

/// The candidate that `word` is nearest to, by misspelling() and without regard to case, of several the first;
/// empty if none is near.
inline std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string wanted = lower_case(word);
  std::size_t least = most_edits(word) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const std::size_t edits = misspelling(wanted, lower_case(candidate));
    if (edits >= least || edits >= std::min(word.size(), candidate.size())) continue;  // nothing in common
    least = edits;
    nearest = candidate;
  }
  return nearest;
}

/// "; did you mean 'word'?", or nothing if `word` is empty.
inline std::string did_you_mean(std::string_view word) {
  return word.empty() ? "" : "; did you mean '" + std::string(word) + "'?";
}

}  // namespace umbra
