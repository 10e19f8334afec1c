#include "data/tables/column_names.h"

#include <algorithm>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

// "V_peak" and "v-Peak" become "vpeak".
std::string plain_name(std::string_view name) {
  std::string plain = lower_case(name);
  std::erase_if(plain, [](char c) { return c == '_' || c == '-' || c == ' '; });
  return plain;
}

}  // namespace

std::optional<std::size_t> find_name(std::span<const std::string> names, std::string_view wanted,
                                     std::string_view where) {
  const std::string lower = lower_case(wanted);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == wanted) {
      require(!found, where, ": the column '", wanted, "' is named more than once");
      found = i;
    }
  if (found) return found;
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
  constexpr std::size_t kShortest = 3, kLongest = 64;
  const std::string plain = plain_name(wanted);
  if (plain.empty() || plain.size() > kLongest) return "";
  std::vector<std::string> plain_names;
  for (const std::string& name : names) {
    plain_names.push_back(plain_name(name));
    if (plain_names.back().size() > kLongest) plain_names.back().clear();
  }
  std::string nearest = nearest_word(plain, plain_names);
  for (const std::string& name : plain_names) {  // the shortest name that contains it
    if (plain.size() < kShortest || name.find(plain) == std::string::npos) continue;
    if (nearest.empty() || (nearest.find(plain) != std::string::npos && name.size() < nearest.size()))
      nearest = name;
  }
  const auto found = std::find(plain_names.begin(), plain_names.end(), nearest);
  return nearest.empty() ? "" : did_you_mean(names[static_cast<std::size_t>(found - plain_names.begin())]);
}

}  // namespace umbra
