// What a learner has done, in learning/progress.json of the current folder.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>

#include "tools/learn/course.h"

namespace umbra::learn {

/// What has been done of a lesson.
struct LessonProgress {
  std::array<bool, kExercises> passed{};  ///< in the last check
  std::array<int, kExercises> hints{};    ///< how many hints have been shown

  int count() const;
  bool done() const { return count() == kExercises; }
  /// The first exercise that does not pass, 1 to 3; 0 if all pass.
  int next() const;
};

/// The progress of all lessons.
class Progress {
 public:
  /// Reads learning/progress.json; without one, nothing has been done. Throws Error if it is damaged, so that
  /// a file that a command does not understand is never replaced.
  Progress();

  /// The progress of a lesson, by its name.
  LessonProgress& of(const std::string& lesson) { return lessons_[lesson]; }
  /// "5 of 9 lessons done, 17 of 27 exercises".
  std::string line(const Course& course);

 private:
  friend Progress changed_progress(const std::string& lesson,
                                   const std::function<void(LessonProgress&)>& change);
  void write() const;

  std::map<std::string, LessonProgress> lessons_;  // also those that this source tree lacks
};

/// Reads the progress, calls `change` for that of a lesson, and writes it atomically, after creating learning/ if
/// there is none. Commands that run at the same time take turns, so that no change is lost. Returns the new progress.
Progress changed_progress(const std::string& lesson, const std::function<void(LessonProgress&)>& change);

}  // namespace umbra::learn
