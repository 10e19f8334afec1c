// The lessons of the source tree, and where everything of a lesson is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace umbra::learn {

/// A lesson: a folder tools/learn/NN_name of the source tree.
struct LessonFolder {
  std::string name;    ///< "01_linear_regression"
  std::string number;  ///< "01"
  std::string title;   ///< the first heading of page.md without its number, or the words of the name

  /// The folder in the source tree.
  std::filesystem::path source() const;
  /// The program in the build folder.
  std::filesystem::path program() const;
  /// The learner's file, learning/NAME.cpp.
  std::filesystem::path exercises() const;
  /// The folder of the lesson's run, learning/NAME.
  std::filesystem::path run() const;
  /// The folder of the last run with changed settings, learning/NAME.changed.
  std::filesystem::path changed_run() const;
};

/// A path as messages show it: relative to the current folder if it is below it.
std::string shown(const std::filesystem::path& path);

/// The number of exercises of every lesson.
inline constexpr int kExercises = 3;

/// The course as a command sees it.
struct Course {
  std::string called;                 ///< the program as the user called it, quoted for a shell
  std::vector<LessonFolder> lessons;  ///< in the order of their numbers

  explicit Course(const std::string& program);
  /// The lesson that `word` means: "1", "01", "01_linear_regression" or "linear_regression"; null if there is none.
  const LessonFolder* lesson(const std::string& word) const;
  /// As lesson(), but throws Error that names the nearest if there is none.
  const LessonFolder& find(const std::string& word) const;
};

}  // namespace umbra::learn
