// Checks of a lesson's exercises. A lesson has three; its check.cpp tests what the learner wrote in exercises.cpp:
//
//   void umbra::learn::check_exercises(Checker& checker) {
//     checker.exercise(1, "the slope of the best line", [&] { checker.near("slope", slope(x, y), 2.0); });
//   }
//
// Neither includes the engine, except for headers of engine/base, so that both compile in seconds.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace umbra::learn {

/// What a blank does until the learner has written it.
[[noreturn]] void not_written();

/// A number in the shortest form, for the text of a comparison: "2", "-0.5", "1e-05".
std::string text_of(double number);

/// Runs the checks of one lesson and prints, for each comparison that fails, what the function returned and what was
/// expected.
class Checker {
 public:
  /// `seconds`: an exercise that has not ended by then is stopped.
  explicit Checker(double seconds) : seconds_(seconds) {}

  /// Exercise `number`, 1 to 3: calls `check`, which compares. An exception in it fails the exercise. It runs in a
  /// process of its own: a function that crashes or never returns fails its own exercise, not the others, and nothing
  /// that `check` writes to a variable outside it is seen by the next.
  void exercise(int number, const std::string& title, const std::function<void()>& check);

  /// `got` must be within `tolerance` of `expected`, relative to the larger of 1 and |expected|. NaN never is.
  void near(const std::string& what, double got, double expected, double tolerance = 1e-9);
  /// As near() for every element; reports how many are wrong, and the worst one.
  void near(const std::string& what, const std::vector<double>& got, const std::vector<double>& expected,
            double tolerance = 1e-9);
  /// `holds` must be true; `what` says what is expected.
  void expect(const std::string& what, bool holds);

  /// The numbers of the exercises that passed, and how many there were.
  const std::vector<int>& passed() const { return passed_; }
  std::size_t exercises() const { return exercises_; }

 private:
  void fail(const std::string& message);
  int outcome(const std::function<void()>& check);
  void print_failures() const;

  double seconds_;
  std::vector<int> passed_;
  std::size_t exercises_ = 0;
  std::vector<std::string> failures_;  // of the current exercise
};

/// The checks of the lesson; every lesson's check.cpp defines it.
void check_exercises(Checker& checker);

}  // namespace umbra::learn
