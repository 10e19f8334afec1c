// learn hint.
#include <cstdio>
#include <sstream>

#include "engine/base/error.h"
#include "engine/io/text_reader.h"
#include "tools/learn/commands.h"
#include "tools/learn/learner_file.h"
#include "tools/learn/progress.h"

namespace umbra::learn {
namespace {

// The hints of an exercise, in their order. A line of hints.txt is "2 a hint for exercise 2".
std::vector<std::string> hints_of(const LessonFolder& lesson, int exercise) {
  const std::filesystem::path path = lesson.source() / "hints.txt";
  std::istringstream in(read_text_file(path));
  const std::string start = concat(exercise, " ");
  std::vector<std::string> hints;
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(start)) hints.push_back(line.substr(start.size()));
  return hints;
}

}  // namespace

void hint(const Course& course, const std::string& word) {
  const LessonFolder& lesson = course.find(word);
  Progress progress;
  const LessonProgress& of = progress.of(lesson.name);
  if (of.done()) {
    std::printf("all exercises of lesson %s pass: there is nothing to hint at\n", lesson.number.c_str());
    return;
  }
  const int exercise = of.next();
  const std::vector<std::string> hints = hints_of(lesson, exercise);
  const auto index = static_cast<std::size_t>(exercise - 1);
  const int given = of.hints[index];
  const auto count = static_cast<int>(hints.size());
  if (given >= count) {
    std::printf("exercise %d: all %d hints have been shown; a solution is in %s, line %d\n", exercise, count,
                shown(lesson.source() / "exercises.cpp").c_str(), line_of_solution(lesson, exercise));
    return;
  }
  std::printf("exercise %d, hint %d of %d: %s\n", exercise, given + 1, count,
              hints[static_cast<std::size_t>(given)].c_str());
  changed_progress(lesson.name, [&](LessonProgress& now) { now.hints[index] = given + 1; });
}

}  // namespace umbra::learn
