#include "tools/learn/common/run_record.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"

namespace umbra::learn {
namespace {

using Json = nlohmann::ordered_json;

Json number_json(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

double number_of(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const std::string word = json.get<std::string>();
  const double infinity = std::numeric_limits<double>::infinity();
  return word == "inf" ? infinity : word == "-inf" ? -infinity : std::numeric_limits<double>::quiet_NaN();
}

// 17 digits: all bits.
std::string printed(double value, int digits = 17) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

// "weights[3, 0]": a number by its indices.
std::string position(const std::string& name, std::size_t index, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> indices(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    indices[axis] = static_cast<std::int64_t>(index % extent);
    index /= extent;
  }
  return shape.empty() ? name : name + shape_text(indices);
}

// The largest of the finite numbers of both, without their signs.
double magnitude(const Recorded& a, const Recorded& b) {
  double largest = 0;
  for (const Recorded* recorded : {&a, &b})
    for (const double value : recorded->numbers)
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  return largest;
}

// What differs in the recorded numbers of two runs.
struct Differences {
  std::string first;  // one line about the first difference; empty: none
  std::size_t numbers = 0, differing = 0;
  double largest = 0;  // relative difference
  std::string where;   // it is

  void add(const std::string& line) {
    if (first.empty()) first = line + "\n";
  }
  void compare(const Recorded& a, const Recorded& b);
  std::string text() const;
};

void Differences::compare(const Recorded& a, const Recorded& b) {
  if (a.shape != b.shape)
    return add(a.name + ": shape " + shape_text(a.shape) + " and " + shape_text(b.shape));
  for (std::size_t i = 0; i < std::min(a.words.size(), b.words.size()); ++i)
    if (a.words[i] != b.words[i]) return add(a.name + ": '" + a.words[i] + "' and '" + b.words[i] + "'");
  const double scale = magnitude(a, b);
  for (std::size_t i = 0; i < std::min(a.numbers.size(), b.numbers.size()); ++i) {
    ++numbers;
    const double x = a.numbers[i], y = b.numbers[i], relative = std::abs(x - y) / scale;
    if (std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y)) continue;
    ++differing;
    add("first different number: " + position(a.name, i, a.shape) + " = " + printed(x) + " and " +
        printed(y) + (std::isfinite(relative) ? ", relative difference " + printed(relative, 3) : ""));
    if (!(relative > largest)) continue;
    largest = relative;
    where = position(a.name, i, a.shape);
  }
}

std::string Differences::text() const {
  if (first.empty()) return "all " + std::to_string(numbers) + " numbers are the same bits\n";
  if (differing == 0) return first;
  const std::string count = std::to_string(differing) + " of " + std::to_string(numbers) + " numbers differ";
  return first + count +
         (where.empty() ? "\n"
                        : "; the largest relative difference, " + printed(largest, 3) + " of the largest " +
                              "number of its record, is at " + where + "\n");
}

// One line per setting that differs, and per claim that holds in one run only.
std::string different_settings(const RunRecord& a, const RunRecord& b) {
  std::string text;
  for (std::size_t i = 0; i < std::min(a.settings.size(), b.settings.size()); ++i)
    if (a.settings[i].value != b.settings[i].value)
      text +=
          "setting " + a.settings[i].key + ": " + a.settings[i].value + " and " + b.settings[i].value + "\n";
  const auto marked = [](const Claimed& claim) { return (claim.holds ? "✓ " : "✗ ") + claim.text; };
  for (std::size_t i = 0; i < std::min(a.claims.size(), b.claims.size()); ++i)
    if (a.claims[i].holds != b.claims[i].holds)
      text += "claim: " + marked(a.claims[i]) + ", and " + marked(b.claims[i]) + "\n";
  return text;
}

}  // namespace

bool RunRecord::is_changed() const {
  return std::ranges::any_of(settings,
                             [](const SettingValue& each) { return each.value != each.default_value; });
}

void write_run(const std::filesystem::path& path, const RunRecord& run) {
  Json json;
  json["lesson"] = run.lesson;
  json["settings"] = Json::object();
  json["defaults"] = Json::object();
  json["meanings"] = Json::object();
  for (const SettingValue& setting : run.settings) {
    json["settings"][setting.key] = setting.value;
    json["defaults"][setting.key] = setting.default_value;
    json["meanings"][setting.key] = setting.meaning;
  }
  json["claims"] = Json::array();
  for (const Claimed& claim : run.claims)
    json["claims"].push_back({{"text", claim.text}, {"holds", claim.holds}});
  json["data"] = Json::object();
  for (const Recorded& recorded : run.recorded) {
    Json entry{{"shape", recorded.shape}};
    if (!recorded.words.empty()) {
      entry["words"] = recorded.words;
    } else {
      entry["numbers"] = Json::array();
      for (const double value : recorded.numbers) entry["numbers"].push_back(number_json(value));
    }
    json["data"][recorded.name] = std::move(entry);
  }
  json["output"] = run.output;
  write_text_file(path, json.dump() + "\n");
}

RunRecord read_run(const std::filesystem::path& path) {
  std::ifstream in(path);
  require(in.good(), "cannot read '", path.string(),
          "': it is the run.json of a lesson that 'learn run' writes");
  try {
    const Json json = Json::parse(in);
    RunRecord run;
    run.lesson = json.at("lesson");
    for (const auto& [key, value] : json.at("settings").items())
      run.settings.push_back({key, value, json.at("meanings").at(key), json.at("defaults").at(key)});
    for (const Json& claim : json.at("claims")) run.claims.push_back({claim.at("text"), claim.at("holds")});
    for (const auto& [name, entry] : json.at("data").items()) {
      Recorded recorded{name, entry.at("shape"), {}, {}};
      if (entry.contains("words"))
        recorded.words = entry.at("words");
      else
        for (const Json& value : entry.at("numbers")) recorded.numbers.push_back(number_of(value));
      run.recorded.push_back(std::move(recorded));
    }
    run.output = json.at("output");
    return run;
  } catch (const nlohmann::json::exception&) {
    throw Error(concat("'", path.string(), "' is not the record of a lesson's run"));
  }
}

std::string first_difference(const RunRecord& a, const RunRecord& b) {
  require(a.lesson == b.lesson, "the runs are of different lessons, ", a.lesson, " and ", b.lesson);
  Differences differences;
  for (std::size_t i = 0; i < std::min(a.recorded.size(), b.recorded.size()); ++i) {
    const Recorded &x = a.recorded[i], &y = b.recorded[i];
    if (x.name != y.name) {
      differences.add("one run recorded " + x.name + " where the other recorded " + y.name);
      break;  // from here on, the runs have computed different things
    }
    differences.compare(x, y);
  }
  if (a.recorded.size() != b.recorded.size())
    differences.add(std::to_string(a.recorded.size()) + " and " + std::to_string(b.recorded.size()) +
                    " records");
  return different_settings(a, b) + differences.text();
}

}  // namespace umbra::learn
