// Values of settings as TOML writes them.
#pragma once

#include <string>
#include <vector>

#include "engine/base/setting.h"

namespace umbra {

/// A string with its quotes.
std::string toml_string(const std::string& text);
/// [a, b, …] of values that are TOML already.
std::string toml_list(const std::vector<std::string>& values);
/// The value of a setting; numbers read back to the same bits.
std::string toml_of(const Setting& setting);

bool is_list(const Setting& setting);

}  // namespace umbra
