#include "engine/io/config_text.h"

#include <toml++/toml.h>

#include <charconv>
#include <cmath>
#include <sstream>

#include "engine/base/error.h"

namespace umbra {
namespace {

// One overload per type of setting.
std::string text_of(bool value) {
  return value ? "true" : "false";
}
std::string text_of(std::int64_t value) {
  return std::to_string(value);
}
std::string text_of(double value) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}
std::string text_of(const std::string& value) {
  return toml_string(value);
}
std::string text_of(Precision value) {
  return toml_string(std::string(name_of(value)));
}
template <class T>
std::string text_of(const Auto<T>& value) {
  return value.number ? text_of(*value.number) : toml_string(kAuto);
}
template <class T>
std::string text_of(const std::vector<T>& values) {
  std::vector<std::string> items;
  items.reserve(values.size());
  for (const T& value : values) items.push_back(text_of(value));
  return toml_list(items);
}

}  // namespace

std::string toml_string(const std::string& text) {
  std::ostringstream out;
  out << ::toml::value<std::string>(text);
  return out.str();
}

std::string toml_list(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return "[" + text + "]";
}

std::string toml_of(const Setting& setting) {
  return std::visit([](const auto* value) { return text_of(*value); }, setting.value);
}

bool may_be_auto(const Setting& setting) {
  return std::holds_alternative<Auto<std::int64_t>*>(setting.value) ||
         std::holds_alternative<Auto<double>*>(setting.value);
}

bool is_list(const Setting& setting) {
  return std::holds_alternative<std::vector<std::int64_t>*>(setting.value) ||
         std::holds_alternative<std::vector<double>*>(setting.value) ||
         std::holds_alternative<std::vector<std::string>*>(setting.value);
}

std::string number_text(double value) {
  constexpr double kExact = 1e15;
  const bool whole = std::abs(value) < kExact && value == std::floor(value);
  return whole ? concat(static_cast<std::int64_t>(value)) : concat(value);
}

std::string bounds_text(const Setting& setting, double value) {
  const Setting unbounded{"", "", {}};
  const bool low = setting.minimum > unbounded.minimum, high = setting.maximum < unbounded.maximum;
  const std::string least = number_text(setting.minimum), most = number_text(setting.maximum);
  if (low && high) return concat("lie between ", least, " and ", most);
  if (low && !(value > setting.maximum)) return concat("be at least ", least);
  if (high && !(value < setting.minimum)) return concat("be at most ", most);
  return "be a finite number";
}

}  // namespace umbra
