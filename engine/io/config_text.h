// Values of settings as TOML text.
#pragma once

#include <string>
#include <vector>

#include "engine/base/setting.h"

namespace umbra {

/// The value of an Auto without a number, in TOML and on the command line.
inline constexpr const char* kAuto = "auto";

/// `text` as a TOML string, quoted and escaped.
std::string toml_string(const std::string& text);
/// The list [a, b, …] of values that are TOML text already.
std::string toml_list(const std::vector<std::string>& values);
/// The value of a setting. Numbers are written with enough digits to be read back bit-identically.
std::string toml_of(const Setting& setting);
/// Whether the value of a setting may be auto.
bool may_be_auto(const Setting& setting);
/// Whether the value of a setting is a list.
bool is_list(const Setting& setting);

/// The number with at most 9 digits, whole ones as 1000000 rather than 1e+06.
std::string number_text(double value);

/// What `value`, which is out of its bounds, must be: "lie between 1 and 100", "be at least 0".
std::string bounds_text(const Setting& setting, double value);

}  // namespace umbra
