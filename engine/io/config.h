// Configurations: a program declares its settings once (key, meaning, unit, bounds, and the variable to set).
// Config reads them from TOML and from key=value arguments, checks them, and writes them as TOML.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/setting.h"

namespace umbra {

/// The settings of a program and their values.
class Config {
 public:
  /// The variables that the settings point to must outlive the Config.
  explicit Config(std::vector<Setting> settings) : settings_(std::move(settings)) {}
  /// For settings that exist only for some values of others (Setting::selects). Those others are read first,
  /// whatever the order in the text, and `settings` is called again after each of them.
  explicit Config(std::function<std::vector<Setting>()> settings)
      : make_settings_(std::move(settings)), settings_(make_settings_()) {}

  /// Reads a TOML file or pipe (see TextReader). Throws Error naming the file, the line and the key for a
  /// syntax error, an unknown key, a wrong type or a value out of bounds.
  void read_file(const std::filesystem::path& path);
  /// As read_file(), for TOML text; `where` names it in messages.
  void read_text(std::string_view text, const std::string& where);
  /// Sets values, each from a text "key=value". Throws Error as read_file() does.
  void set(const std::vector<std::string>& assignments);
  /// All settings with their help as TOML, or, without `all`, only those that must not change when a run is
  /// resumed. read_text() of the result gives bit-identical values.
  std::string dump(bool all = true) const;
  /// The settings that exist for the current values.
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
