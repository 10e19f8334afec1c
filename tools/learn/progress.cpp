#include "tools/learn/progress.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "tools/learn/common/folder.h"
#include "tools/learn/turn.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const fs::path kFile = "learning/progress.json";

LessonProgress lesson_of(const Json& json) {
  LessonProgress lesson;
  for (const int number : json.at("passed").get<std::vector<int>>())
    lesson.passed.at(static_cast<std::size_t>(number - 1)) = true;
  lesson.hints = json.at("hints").get<std::array<int, kExercises>>();
  for (const int shown : lesson.hints) require(shown >= 0, "a negative number of hints");
  return lesson;
}

Json json_of(const LessonProgress& lesson) {
  Json json{{"passed", Json::array()}, {"hints", lesson.hints}};
  for (int number = 1; number <= kExercises; ++number)
    if (lesson.passed[static_cast<std::size_t>(number - 1)]) json["passed"].push_back(number);
  return json;
}

}  // namespace

int LessonProgress::count() const {
  return static_cast<int>(std::count(passed.begin(), passed.end(), true));
}

int LessonProgress::next() const {
  const auto first = std::find(passed.begin(), passed.end(), false);
  return first == passed.end() ? 0 : static_cast<int>(first - passed.begin()) + 1;
}

Progress::Progress() {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(kFile, error))) return;
  require(!fs::is_directory(kFile, error), "'", kFile.string(),
          "' is a folder; the course needs a file of that name: move the folder away");
  std::ifstream in(kFile);
  require(in.good(), "cannot read '", kFile.string(), "'");
  try {
    const Json json = Json::parse(in);
    for (const auto& [name, lesson] : json.at("lessons").items()) lessons_[name] = lesson_of(lesson);
  } catch (const std::exception&) {
    fail("'", kFile.string(),
         "' is damaged; move it away, and a check of each lesson records the progress again");
  }
}

std::string Progress::line(const Course& course) {
  std::size_t done = 0, exercises = 0;
  for (const LessonFolder& lesson : course.lessons) {
    done += of(lesson.name).done() ? 1 : 0;
    exercises += static_cast<std::size_t>(of(lesson.name).count());
  }
  const std::size_t lessons = course.lessons.size();
  return concat(done, " of ", lessons, " lessons done, ", exercises, " of ", kExercises * lessons,
                " exercises");
}

Progress changed_progress(const std::string& lesson, const std::function<void(LessonProgress&)>& change) {
  make_folder(kFile.parent_path(), "the course");
  const Turn turn(kFile.parent_path());
  Progress progress;
  change(progress.of(lesson));
  progress.write();
  return progress;
}

void Progress::write() const {
  Json json{{"lessons", Json::object()}};
  for (const auto& [name, lesson] : lessons_) json["lessons"][name] = json_of(lesson);
  write_text_file(kFile, json.dump(1) + "\n");
}

}  // namespace umbra::learn
