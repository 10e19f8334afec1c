#include "engine/io/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "engine/base/error.h"
#include "engine/base/nearest.h"
#include "engine/io/config_text.h"
#include "engine/io/format_version.h"
#include "engine/io/setting_names.h"
#include "engine/io/text_reader.h"

namespace umbra {
namespace {

void check_bounds(const Setting& s, double value, const std::string& where) {
  if (value >= s.minimum && value <= s.maximum) return;
  fail(where, ": ", s.key, " must ", bounds_text(s, value), ", but it is ", number_text(value));
}

[[noreturn]] void no_choice(const Setting& s, const std::vector<std::string>& choices,
                            const std::string& value, const std::string& where) {
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  fail(where, ": ", s.key, " must be one of ", list, ", but it is ", value,
       did_you_mean(nearest_word(value, choices)));
}

void check_choice(const Setting& s, const std::string& value, const std::string& where) {
  if (s.choices.empty() || std::find(s.choices.begin(), s.choices.end(), value) != s.choices.end()) return;
  no_choice(s, s.choices, value, where);
}

Precision chosen_precision(const Setting& s, const std::string& name, const std::string& where) {
  if (const auto precision = precision_named(name)) return *precision;
  std::vector<std::string> names;
  for (const Precision precision : kPrecisions) names.emplace_back(name_of(precision));
  no_choice(s, names, name, where);
}

std::string expected_type(const Setting& s) {
  constexpr const char* kNames[] = {
      "true or false",     "an integer",        "a number", "a string",           "a list of integers",
      "a list of numbers", "a list of strings", "a string", "an integer or auto", "a number or auto"};
  return kNames[s.value.index()];
}

[[noreturn]] void wrong_type(const Setting& s, const std::string& where) {
  fail(where, ": ", s.key, " must be ", expected_type(s));
}

// One overload per type of setting: from a TOML node.
struct Assign {
  const Setting& setting;
  const toml::node& node;
  const std::string& where;

  template <class T>
  T get() const {
    const auto value = node.value_exact<T>();
    if (!value) wrong_type(setting, where);
    return *value;
  }
  double number(const toml::node& n) const {
    if (!n.is_number()) wrong_type(setting, where);
    const double value = *n.value<double>();
    check_bounds(setting, value, where);
    return value;
  }
  const toml::array& array() const {
    if (!node.is_array()) wrong_type(setting, where);
    return *node.as_array();
  }

  std::int64_t integer(const toml::node& n) const {
    const auto value = n.value_exact<std::int64_t>();
    if (!value) wrong_type(setting, where);
    check_bounds(setting, static_cast<double>(*value), where);
    return *value;
  }

  void operator()(bool* out) const { *out = get<bool>(); }
  void operator()(std::int64_t* out) const { *out = integer(node); }
  void operator()(double* out) const { *out = number(node); }
  void operator()(std::string* out) const {
    const auto value = get<std::string>();
    check_choice(setting, value, where);
    *out = value;
  }
  void operator()(std::vector<std::string>* out) const {
    std::vector<std::string> values;
    for (const toml::node& item : array()) {
      const auto value = item.value_exact<std::string>();
      if (!value) wrong_type(setting, where);
      check_choice(setting, *value, where);
      values.push_back(*value);
    }
    *out = values;
  }
  void operator()(std::vector<std::int64_t>* out) const {
    std::vector<std::int64_t> values;
    for (const toml::node& item : array()) values.push_back(integer(item));
    *out = values;
  }
  void operator()(std::vector<double>* out) const {
    std::vector<double> values;
    for (const toml::node& item : array()) values.push_back(number(item));
    *out = values;
  }
  template <class T>
  void operator()(Auto<T>* out) const {
    if (node.value_exact<std::string>() == kAuto) {
      out->number.reset();
    } else if constexpr (std::is_same_v<T, double>) {
      out->number = number(node);
    } else {
      out->number = integer(node);
    }
  }
  void operator()(Precision* out) const { *out = chosen_precision(setting, get<std::string>(), where); }
};

// toml++ parses a dotted key by recursion without limit. A key has one dot here; strings may have more.
void check_dots(std::string_view text, const std::string& where) {
  constexpr int kMost = 64;
  int dots = 0;
  std::int64_t line = 1;
  char before = 0;
  for (const char c : text) {
    line += c == '\n' ? 1 : 0;
    if (c == '.' && before != '.') ++dots;  // "....", a ruler in a comment, is not a key
    before = c;
    if (c == '\n' || c == ',' || c == '=' || c == '[' || c == '{') dots = 0;
    require(dots <= kMost, where, ", line ", line, ": more than ", kMost,
            " dots in a row are not the key of a setting");
  }
}

// "train.seed" -> {"train", "seed"}; "device" -> {"", "device"}.
std::pair<std::string, std::string> split_key(const std::string& key) {
  const std::size_t dot = key.find('.');
  return dot == std::string::npos ? std::pair<std::string, std::string>{"", key}
                                  : std::pair{key.substr(0, dot), key.substr(dot + 1)};
}

}  // namespace

const Setting& Config::find(const std::string& key, const std::string& where) const {
  for (const Setting& s : settings_) {
    if (s.key == key) return s;
  }
  const std::string nearest = nearest_key(key, settings_);
  std::string same_section;
  for (const Setting& s : settings_)
    if (nearest.empty() && !split_key(key).first.empty() && split_key(s.key).first == split_key(key).first)
      same_section += (same_section.empty() ? "; that section has " : ", ") + s.key;
  fail(where, ": there is no setting ", key, did_you_mean(nearest), same_section);
}

void Config::read_file(const std::filesystem::path& path) {
  read_text(read_text_file(path), path.string());
}

void Config::read_text(std::string_view text, const std::string& where) {
  check_dots(text, where);
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    fail(where, ", line ", error.source().begin.line, ": not valid TOML: ", error.description());
  }
  const auto assign = [&](const std::string& key, const toml::node& node) {
    const std::string place = concat(where, ", line ", node.source().begin.line);
    const Setting& setting = find(key, place);
    std::visit(Assign{setting, node, place}, setting.value);
  };
  if (const toml::node* version = table.get(kFormatVersionName)) {  // before keys that may be new in it
    require(version->is_integer(), where, ", line ", version->source().begin.line,
            ": format_version must be an integer");
    check_format_version(*version->value<std::int64_t>(), where);
  }
  const auto assign_all = [&](const auto& wanted) {
    for (const auto& [key, node] : table) {
      const std::string outer(key.str());
      if (outer == kFormatVersionName) continue;
      if (!node.is_table()) {
        if (wanted(outer)) assign(outer, node);
        continue;
      }
      for (const auto& [inner, value] : *node.as_table()) {
        const std::string name = concat(outer, ".", inner.str());
        if (wanted(name)) assign(name, value);
      }
    }
  };
  for (const std::string& selector : selectors()) {
    assign_all([&](const std::string& key) { return key == selector; });
    select();
  }
  assign_all([&](const std::string& key) { return !selects(key); });
}

std::vector<std::string> Config::selectors() const {
  std::vector<std::string> keys;
  for (const Setting& s : settings_) {
    if (s.selects) keys.push_back(s.key);
  }
  return keys;
}

bool Config::selects(const std::string& key) const {
  const std::vector<std::string> keys = selectors();
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

void Config::select() {
  if (make_settings_) settings_ = make_settings_();
}

void Config::set(const std::vector<std::string>& assignments) {
  const auto key_of = [](const std::string& assignment) {
    return assignment.substr(0, assignment.find('='));
  };
  for (const std::string& selector : selectors()) {
    for (const std::string& assignment : assignments) {
      if (key_of(assignment) == selector) set_one(assignment);
    }
    select();
  }
  for (const std::string& assignment : assignments) {
    if (!selects(key_of(assignment))) set_one(assignment);
  }
}

void Config::set_one(const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    const std::string key = nearest_key(assignment, settings_);
    fail("\"", assignment, "\": a setting is written key=value",
         did_you_mean(key.empty() ? key : key + "=VALUE"));
  }
  const std::string key = assignment.substr(0, equals);
  std::string value = assignment.substr(equals + 1);
  const Setting& setting = find(key, "\"" + assignment + "\"");
  // On a command line strings need no quotes, and lists no brackets.
  if (std::holds_alternative<std::string*>(setting.value) ||
      std::holds_alternative<Precision*>(setting.value) || (may_be_auto(setting) && value == kAuto))
    value = toml_string(value);
  const bool strings = std::holds_alternative<std::vector<std::string>*>(setting.value);
  if (is_list(setting) && !value.starts_with('[')) {
    std::istringstream items(value);
    std::vector<std::string> parts;
    for (std::string item; std::getline(items, item, ',');)
      parts.push_back(strings ? toml_string(item) : item);
    value = toml_list(parts);
  }
  toml::table table;
  try {
    table = toml::parse("value = " + value);
  } catch (const toml::parse_error&) {
    wrong_type(setting, "\"" + assignment + "\"");
  }
  require(table.size() == 1 && table.contains("value"), "\"", assignment,
          "\": a setting is written key=value");
  const std::string where = "\"" + assignment + "\"";
  std::visit(Assign{setting, *table.get("value"), where}, setting.value);
}

std::string Config::dump(bool all) const {
  std::string text = concat(kFormatVersionName, " = ", kFormatVersion, "  # of this file\n"), section;
  for (const Setting& s : settings_) {  // keys without a section must come first
    if (!all && s.may_change) continue;
    const auto [own_section, name] = split_key(s.key);
    if (own_section != section) text += "\n[" + own_section + "]\n";
    section = own_section;
    text += name + " = " + toml_of(s) + "  # " + s.help + "\n";
  }
  return text;
}

std::string Config::help() const {
  std::string text;
  for (const Setting& s : settings_) text += "  " + s.key + "=" + toml_of(s) + "\n      " + s.help + "\n";
  return text;
}

}  // namespace umbra
