#include "data/tables/column_names.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "engine/base/error.h"

namespace umbra {
namespace {

// "V_peak" and "v-Peak" become "vpeak".
std::string plain_name(std::string_view name) {
  std::string plain = lower_case(name);
  std::erase_if(plain, [](char c) { return c == '_' || c == '-' || c == ' '; });
  return plain;
}

// The number of letters to insert, delete or replace (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::optional<std::size_t> find_name(std::span<const std::string> names, std::string_view wanted,
                                     std::string_view where) {
  const std::string lower = lower_case(wanted);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == wanted) return i;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (lower_case(names[i]) != lower) continue;
    require(!found, where, ": both '", found ? names[*found] : "", "' and '", names[i], "' could be '",
            wanted, "'; one column of this name is expected");
    found = i;
  }
  return found;
}

std::string read_as(std::string_view found, std::string_view wanted) {
  return concat("column ", found, " read as ", wanted);
}

std::string closest_hint(std::span<const std::string> names, std::string_view wanted) {
  constexpr std::size_t kLongest = 64, kContains = 2;
  const std::string plain = plain_name(wanted);
  if (plain.empty() || plain.size() > kLongest) return "";
  const std::size_t far = std::max((plain.size() + 1) / 3, std::size_t{1}) + 1;
  std::size_t best = std::max(far, kContains + 1);
  const std::string* closest = nullptr;
  for (const std::string& name : names) {
    const std::string other = plain_name(name);
    if (other.empty() || other.size() > kLongest) continue;
    const bool contains = plain.size() >= 3 && other.find(plain) != std::string::npos;
    const std::size_t apart = distance(plain, other), score = contains ? std::min(apart, kContains) : apart;
    if (score >= best || (!contains && apart >= far)) continue;
    best = score;
    closest = &name;
  }
  return closest == nullptr ? "" : concat("; the closest is '", *closest, "'");
}

}  // namespace umbra
