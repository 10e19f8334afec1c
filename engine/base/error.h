// The only exception type of umbra. Its text is one line for the user: what was wrong, where, and what was
// expected. Thrown at the boundaries (files, configurations, missing kernels), never inside a kernel.
#pragma once

#include <cstdio>
#include <initializer_list>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
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

/// The text of one argument of concat(). Nearly every source includes this header, so it does without streams.
template <class T>
std::string text_of(const T& value) {
  if constexpr (std::is_same_v<T, char>) {
    return std::string(1, value);
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
    return text;
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string(std::string_view(value));
  } else if constexpr (std::is_pointer_v<T>) {
    char text[32];
    std::snprintf(text, sizeof text, "%p", static_cast<const void*>(value));
    return text;
  } else {
    return value.text();
  }
}

inline std::string joined(std::initializer_list<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

/// Joins its arguments into one string: texts, characters, integers, addresses, floating-point numbers with at
/// most 9 digits, and objects with a member text().
template <class... Parts>
std::string concat(const Parts&... parts) {
  return joined({text_of(parts)...});
}

/// Objects with a member text() can be written to a stream.
template <class T>
auto operator<<(std::ostream& out, const T& value) -> decltype(out << value.text()) {
  return out << value.text();
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
