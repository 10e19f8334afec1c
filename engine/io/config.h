// Configurations: a program declares its settings once (key, meaning, unit, bounds, where the value lives);
// this file reads them from TOML and from key=value words, checks them, and writes them back as TOML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/precision.h"

namespace umbra {

struct Setting {
  std::string key;   // "section.name", or "name" at the top
  std::string help;  // one line with the unit
  std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::string>*, std::vector<double>*,
               Precision*>
      value;
  double minimum = -1e300, maximum = 1e300;  // inclusive, for numbers (and the numbers of lists)
  std::vector<std::string> choices = {};     // for strings: the allowed ones; empty: any
};

class Config {
 public:
  explicit Config(std::vector<Setting> settings) : settings_(std::move(settings)) {}

  /// Reads a TOML file (text_reader.h: a pipe will do). Throws Error naming the file, the line and the key
  /// for a syntax error, an unknown key, a wrong type or a value out of bounds.
  void read_file(const std::filesystem::path& path);
  /// The same for TOML text; `where` names it in messages.
  void read_text(std::string_view text, const std::string& where);
  /// Sets one value from "key=value".
  void set(const std::string& assignment);
  /// Every setting with its help, as TOML that read_text() takes back to the same values, bit for bit.
  std::string dump() const;
  /// One line per setting for --help: key, default, meaning.
  std::string help() const;

 private:
  const Setting& find(const std::string& key, const std::string& where) const;

  std::vector<Setting> settings_;
};

}  // namespace umbra
