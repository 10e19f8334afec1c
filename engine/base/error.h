// The only exception type of umbra. Its text is one line for the user: what was wrong, where, and what was
// expected. Thrown at the boundaries (files, configurations, missing kernels), never inside a kernel.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace umbra {

class Error : public std::runtime_error {
 public:
  /// Control characters (names and texts read from a file may contain them) are replaced by spaces: the
  /// message stays on one line and cannot send escape sequences to a terminal.
  explicit Error(std::string sentence) : std::runtime_error(one_line(std::move(sentence))) {}

 private:
  static std::string one_line(std::string text) {
    for (char& c : text)
      if (static_cast<unsigned char>(c) < 32 || c == 127) c = ' ';
    return text;
  }
};

/// Joins its arguments into one string with operator<<.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  text.precision(9);
  (text << ... << parts);
  return text.str();
}

/// Throws Error with the joined arguments as its text.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(concat(parts...));
}

/// Throws Error with the joined arguments unless `condition` holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) fail(parts...);
}

}  // namespace umbra
