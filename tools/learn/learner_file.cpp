#include "tools/learn/learner_file.h"

#include <sstream>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/text_reader.h"
#include "tools/learn/common/folder.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Where the mark "// BLANK 2:" begins in a line, or npos.
std::size_t blank_in(const std::string& line, int exercise) {
  const std::string mark = concat("// BLANK ", exercise, ":");
  const std::size_t at = line.find_first_not_of(' ');
  return at != std::string::npos && line.compare(at, mark.size(), mark) == 0 ? at : std::string::npos;
}

bool is_end(const std::string& line) {
  const std::size_t at = line.find_first_not_of(' ');
  return at != std::string::npos && line.substr(at) == "// END";
}

}  // namespace

std::string with_blanks(const std::string& solutions, const LessonFolder& lesson, const std::string& called) {
  const std::vector<std::string> lines = lines_of(solutions);
  const std::string where = "exercises.cpp of lesson " + lesson.number;
  std::string text = concat("// Your answers to the exercises of lesson ", lesson.number, ", ", lesson.title,
                            ".\n// Write each in place of not_written(), then check them: ", called,
                            " check ", lesson.number, "\n// ", shown(lesson.source() / "exercises.h"),
                            " explains the functions and their types.\n");
  std::size_t i = 0;
  while (i < lines.size() && lines[i].starts_with("//")) ++i;
  int exercise = 0;
  for (; i < lines.size(); ++i) {
    const std::size_t at = blank_in(lines[i], exercise + 1);
    require(at != std::string::npos || lines[i].find("// BLANK") == std::string::npos, where,
            ": the blanks are not numbered 1, 2, 3");
    if (at == std::string::npos) {
      text += lines[i] + "\n";
      continue;
    }
    ++exercise;
    const std::string indent(at, ' '), what = lines[i].substr(lines[i].find(':') + 1);
    text += concat(indent, "// Exercise ", exercise, ":", what, "\n");
    text += indent + "not_written();\n";
    while (i < lines.size() && !is_end(lines[i])) ++i;
    require(i < lines.size(), where, ": blank ", exercise, " has no // END");
  }
  require(exercise == kExercises, where, ": there are ", exercise, " blanks, not ", kExercises);
  return text;
}

bool make_learner_file(const Course& course, const LessonFolder& lesson) {
  const fs::path file = lesson.exercises();
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(file, ignored))) return false;
  make_folder(file.parent_path(), "the course");
  write_text_file(file,
                  with_blanks(read_text_file(lesson.source() / "exercises.cpp"), lesson, course.called));
  return true;
}

int line_of_solution(const LessonFolder& lesson, int exercise) {
  const std::vector<std::string> lines = lines_of(read_text_file(lesson.source() / "exercises.cpp"));
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (blank_in(lines[i], exercise) != std::string::npos) return static_cast<int>(i) + 1;
  fail("exercises.cpp of lesson ", lesson.number, " has no blank ", exercise);
}

}  // namespace umbra::learn
