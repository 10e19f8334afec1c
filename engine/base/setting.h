// Setting: a value that a user may set: its key, its help text and the variable that it sets.
// engine/io/config.h reads lists of settings from TOML and from key=value arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/precision.h"

namespace umbra {

/// A number that the program derives from the data unless the user gives one. It is written as the number or as
/// "auto".
template <class T>
struct Auto {
  std::optional<T> number;  ///< empty: auto
};

struct Setting {
  std::string key;   // "section.name", or "name" at the top
  std::string help;  // one line, with the unit
  std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::int64_t>*, std::vector<double>*,
               std::vector<std::string>*, Precision*, Auto<std::int64_t>*, Auto<double>*>
      value;
  double minimum = -1e300, maximum = 1e300;  // inclusive, for numbers (and the numbers of lists)
  std::vector<std::string> choices = {};     // for strings: the allowed ones; empty: any
  bool selects = false;                      // other settings exist only for some values of this one
  bool may_change = false;                   // when a run is resumed
};

/// A setting that may change when a run is resumed.
inline Setting changeable(Setting setting) {
  setting.may_change = true;
  return setting;
}

}  // namespace umbra
