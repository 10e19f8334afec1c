// Configurations: a program declares its settings once (key, meaning, unit, bounds, where the value lives);
// this file reads them from TOML and from key=value words, checks them, and writes them back as TOML.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/setting.h"

namespace umbra {

class Config {
 public:
  explicit Config(std::vector<Setting> settings) : settings_(std::move(settings)) {}
  /// Settings of which some depend on others (Setting::selects), which are read before them, whatever the
  /// order in the text: `settings` is asked again whenever one of these was set.
  explicit Config(std::function<std::vector<Setting>()> settings)
      : make_settings_(std::move(settings)), settings_(make_settings_()) {}

  /// Reads a TOML file (text_reader.h: a pipe will do). Throws Error naming the file, the line and the key
  /// for a syntax error, an unknown key, a wrong type or a value out of bounds.
  void read_file(const std::filesystem::path& path);
  /// The same for TOML text; `where` names it in messages.
  void read_text(std::string_view text, const std::string& where);
  /// Sets values, each from "key=value".
  void set(const std::vector<std::string>& assignments);
  /// Every setting with its help, or those alone that a run keeps when it goes on, as TOML that read_text()
  /// takes back to the same values, bit for bit.
  std::string dump(bool all = true) const;
  /// All settings as they are now.
  const std::vector<Setting>& settings() const { return settings_; }
  /// One line per setting for --help: key, default, meaning.
  std::string help() const;

 private:
  const Setting& find(const std::string& key, const std::string& where) const;
  std::vector<std::string> selectors() const;
  bool selects(const std::string& key) const;
  void select();
  void set_one(const std::string& assignment);

  std::function<std::vector<Setting>()> make_settings_;
  std::vector<Setting> settings_;
};

}  // namespace umbra
