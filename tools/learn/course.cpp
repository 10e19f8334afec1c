#include "tools/learn/course.h"

#include <algorithm>
#include <cctype>
#include <fstream>

#include "engine/base/error.h"
#include "engine/base/nearest.h"
#include "learn_build.h"
#include "tools/common/tool.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

bool is_lesson(const fs::path& folder) {
  const std::string name = folder.filename();
  return name.size() > 3 && is_digit(name[0]) && is_digit(name[1]) && name[2] == '_' &&
         fs::is_directory(folder);
}

// "1. Linear regression" of the line "# 1. Linear regression", without its number.
std::string title_of(const fs::path& page, const std::string& name) {
  std::ifstream in(page);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("# ")) continue;
    std::size_t at = 2;
    while (at < line.size() && (is_digit(line[at]) || line[at] == '.')) ++at;
    at = std::min(line.find_first_not_of(' ', at), line.size());
    return line.substr(at);
  }
  std::string words = name.substr(3);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

}  // namespace

fs::path LessonFolder::source() const {
  return fs::path(UMBRA_LEARN_SOURCE) / "tools/learn" / name;
}

fs::path LessonFolder::program() const {
  return fs::path(UMBRA_LEARN_BUILD) / "lessons" / name;
}

fs::path LessonFolder::exercises() const {
  return fs::path("learning") / (name + ".cpp");
}

fs::path LessonFolder::run() const {
  return fs::path("learning") / name;
}

fs::path LessonFolder::changed_run() const {
  return run() += ".changed";
}

std::string shown(const fs::path& path) {
  const std::string relative = path.lexically_proximate(fs::current_path());
  return relative.starts_with("..") ? path.string() : relative;
}

Course::Course(const std::string& program) : called(shell_word(program)) {
  const fs::path folder = fs::path(UMBRA_LEARN_SOURCE) / "tools/learn";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!is_lesson(entry.path())) continue;
    const std::string name = entry.path().filename();
    lessons.push_back({name, name.substr(0, 2), title_of(entry.path() / "page.md", name)});
  }
  require(!lessons.empty(), "there are no lessons in '", folder.string(),
          "', the source folder that this program was built from");
  std::sort(lessons.begin(), lessons.end(),
            [](const LessonFolder& a, const LessonFolder& b) { return a.name < b.name; });
}

const LessonFolder* Course::lesson(const std::string& word) const {
  const std::string number = word.size() == 1 ? "0" + word : word;
  for (const LessonFolder& each : lessons)
    if (number == each.number || word == each.name || word == each.name.substr(3)) return &each;
  return nullptr;
}

const LessonFolder& Course::find(const std::string& word) const {
  if (const LessonFolder* found = lesson(word)) return *found;
  std::vector<std::string> names;
  for (const LessonFolder& each : lessons) {
    names.push_back(each.name.substr(3));
    names.push_back(each.name);
  }
  const std::string nearest = nearest_word(word, names);
  fail("there is no lesson ", shell_word(word),
       nearest.empty() ? concat("; ", called, " list shows the lessons") : did_you_mean(nearest));
}

}  // namespace umbra::learn
