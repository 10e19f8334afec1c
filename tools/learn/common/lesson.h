// A lesson: a program that computes something, prints what it finds, claims what it has shown and checks the claims.
//
//   int main(int argc, char** argv) {
//     Options options;                                     // the lesson's settings, with their defaults
//     return umbra::learn::run_lesson(argc, argv, "01_linear_regression", options.settings(),
//                                     [&](umbra::learn::Lesson& lesson) { teach(options, lesson); });
//   }
//
// On the command line: settings as key=value, and --out FOLDER for run.json and the figures.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/base/setting.h"
#include "tools/learn/common/figure.h"
#include "tools/learn/common/run_record.h"

namespace umbra::learn {

/// A run of a lesson, while it computes.
class Lesson {
 public:
  /// A heading of the output.
  void heading(const std::string& text);
  /// Prints a line, as printf does.
  [[gnu::format(printf, 2, 3)]] void say(const char* format, ...);

  /// Prints and records the claim `text`, and whether it holds. With all settings at their defaults a claim that
  /// does not hold makes the lesson fail; with other settings it is part of the answer.
  void claim(const std::string& text, bool holds);
  /// The claim "text: value < limit".
  void claim_less(const std::string& text, double value, double limit);
  /// The claim "text: value, expected expected ± tolerance".
  void claim_near(const std::string& text, double value, double expected, double tolerance);

  /// Records numbers for the page and for `learn diff`. A name may be used once.
  void record(const std::string& name, double number);
  /// As record(): a list, or an array of the given shape, row-major.
  void record(const std::string& name, const std::vector<double>& numbers,
              const std::vector<std::int64_t>& shape = {});
  /// As record(), for an array [rows, columns] given as rows of the same length.
  void record(const std::string& name, const std::vector<std::vector<double>>& rows);
  /// Records words, such as the names of classes.
  void record_words(const std::string& name, const std::vector<std::string>& words);
  /// Writes NAME.svg. `description` says what can be seen, for readers who cannot see it.
  void figure(const std::string& name, const Figure& figure, const std::string& description);
  /// As figure(), for an SVG document that the lesson has drawn itself.
  void picture(const std::string& name, const std::string& svg);

  /// What has been recorded so far.
  const RunRecord& run() const { return run_; }

 private:
  friend int run_lesson(int argc, char** argv, const std::string& name, std::vector<Setting> settings,
                        const std::function<void(Lesson&)>& body);
  Lesson(RunRecord run, std::string folder) : run_(std::move(run)), folder_(std::move(folder)) {}
  void print(const std::string& line);
  void add(Recorded recorded);

  RunRecord run_;
  std::string folder_;
};

/// Runs a lesson: reads the command line, calls `body`, writes FOLDER/run.json. Unless --out names another, FOLDER is
/// learning/NAME, or learning/NAME.changed if a setting was changed, and its last run is replaced. Returns the exit
/// status: 1 if a claim does not hold although no setting was changed.
int run_lesson(int argc, char** argv, const std::string& name, std::vector<Setting> settings,
               const std::function<void(Lesson&)>& body);

}  // namespace umbra::learn
