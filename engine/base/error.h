// The one exception type of umbra. Its text is one sentence for the user: what was wrong, where, and what was
// expected. Thrown at the boundaries (files, configurations, missing kernels), never from inside a kernel.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace umbra {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Joins its arguments into one string with operator<<.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  text.precision(9);
  (text << ... << parts);
  return text.str();
}

/// Throws Error with the joined arguments as its sentence.
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
