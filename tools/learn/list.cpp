// learn list.
#include <algorithm>
#include <cstdio>

#include "engine/base/error.h"
#include "tools/learn/build.h"
#include "tools/learn/commands.h"
#include "tools/learn/progress.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

// Letters, not bytes, so that columns are aligned.
std::size_t letters(const std::string& text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string state_of(const LessonFolder& lesson, const LessonProgress& progress) {
  if (progress.done()) return "done";
  if (progress.count() > 0) return concat(progress.count(), " of ", kExercises, " exercises");
  if (is_there(lesson.exercises())) return "exercises begun";
  return is_there(lesson.run() / "run.json") ? "has been run" : "";
}

std::string next_step(const Course& course, const LessonFolder& lesson, const LessonProgress& progress) {
  const std::string& number = lesson.number;
  if (is_there(lesson.exercises()))
    return concat("write exercise ", progress.next(), " in ", lesson.exercises().string(), ", then ",
                  course.called, " check ", number);
  if (lacks(lesson)) return concat(course.called, " check ", number);
  if (is_there(lesson.run() / "run.json"))
    return concat(course.called, " page ", number, " --out site shows the lesson, ", course.called, " check ",
                  number, " makes the file for its exercises");
  return concat(course.called, " run ", number);
}

}  // namespace

void list_lessons(const Course& course) {
  Progress progress;
  std::size_t width = 0;
  for (const LessonFolder& lesson : course.lessons) width = std::max(width, letters(lesson.title));
  const LessonFolder* next = nullptr;
  for (const LessonFolder& lesson : course.lessons) {
    const LessonProgress& of = progress.of(lesson.name);
    const std::string state = state_of(lesson, of), blanks(width - letters(lesson.title), ' ');
    const std::string line = concat(of.done() ? "✓ " : "  ", lesson.number, "  ", lesson.title);
    std::printf("%s\n", state.empty() ? line.c_str() : concat(line, blanks, "  ", state).c_str());
    if (!of.done() && next == nullptr) next = &lesson;
  }
  std::printf("%s\n", progress.line(course).c_str());
  if (next != nullptr) std::printf("next: %s\n", next_step(course, *next, progress.of(next->name)).c_str());
}

}  // namespace umbra::learn
