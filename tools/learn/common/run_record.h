// What a run of a lesson leaves: run.json, with its settings, its claims and all numbers that it recorded, in the
// order in which they were computed. Pages show it, and `learn diff` compares two of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace umbra::learn {

/// Numbers that a lesson recorded under a name.
struct Recorded {
  std::string name;                 ///< such as "gradient_descent/loss"
  std::vector<std::int64_t> shape;  ///< of `numbers`, row-major; empty: one number
  std::vector<double> numbers;      ///< NaN and infinities are allowed
  std::vector<std::string> words;   ///< instead of numbers: labels
};

/// A statement that a lesson checked.
struct Claimed {
  std::string text;  ///< with the numbers that were compared
  bool holds;        ///< in this run
};

/// The value of a setting in a run, and the one that it has unless it is changed.
struct SettingValue {
  std::string key, value, meaning, default_value;
};

/// A run of a lesson.
struct RunRecord {
  std::string lesson;                  ///< "01_linear_regression"
  std::vector<SettingValue> settings;  ///< in the order of their declaration
  std::vector<Claimed> claims;         ///< in the order in which they were checked
  std::vector<Recorded> recorded;      ///< in the order in which they were computed
  std::vector<std::string> output;     ///< the lines that the lesson printed

  /// Whether a setting is not at its default.
  bool is_changed() const;
};

/// Writes the record as JSON: "lesson", "settings" {key: value}, "defaults" {key: value}, "meanings" {key: meaning},
/// "claims" [{text, holds}], "data" {name: {shape, numbers | words}} and "output". Numbers keep all their bits; NaN and
/// infinities are the strings "nan", "inf" and "-inf".
void write_run(const std::filesystem::path& path, const RunRecord& run);
/// Reads what write_run() wrote. Throws Error naming the file.
RunRecord read_run(const std::filesystem::path& path);

/// What differs between two runs of the same lesson: one line per setting that differs and per claim that holds in one
/// of them only; then the first recorded number that differs, with its name, indices and both values, and how many
/// numbers differ, or a line that all numbers are the same bits. A relative difference is one relative to the largest
/// number that either run recorded under that name, so that rounding around zero is small. Throws Error if the lessons
/// differ.
std::string first_difference(const RunRecord& a, const RunRecord& b);

}  // namespace umbra::learn
