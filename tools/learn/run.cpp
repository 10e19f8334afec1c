// learn run, learn trace, learn diff.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "engine/base/error.h"
#include "learn_build.h"
#include "tools/common/process.h"
#include "tools/common/tool.h"
#include "tools/learn/build.h"
#include "tools/learn/commands.h"
#include "tools/learn/common/run_record.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

int run_with(const fs::path& program, const std::vector<std::string>& words) {
  std::vector<std::string> command{program.string()};
  command.insert(command.end(), words.begin(), words.end());
  return run_program(command);
}

fs::path record_in(const fs::path& place) {
  std::error_code ignored;
  return fs::is_directory(place, ignored) ? place / "run.json" : place;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The value of --out among the words for a lesson, or nothing.
std::string out_of(const std::vector<std::string>& words) {
  const std::string option = "--out";
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == option && i + 1 < words.size()) out = words[++i];
    if (words[i].starts_with(option + "=")) out = words[i].substr(option.size() + 1);
  }
  return out;
}

// What to do after a run in this folder: it is compared with the one with default settings, or that one is shown.
std::string next_step(const Course& course, const LessonFolder& lesson, const fs::path& folder) {
  const std::string start = course.called + " ";
  std::error_code ignored;
  if (fs::equivalent(folder, lesson.run(), ignored)) return start + "page " + lesson.number + " --out site";
  const std::string diff = folder == lesson.changed_run() ? concat(start, "diff ", lesson.number)
                                                          : concat(start, "diff ", lesson.run().string(), " ",
                                                                   shell_word(folder.string()));
  const bool has_default = is_there(lesson.run() / "run.json");
  return has_default ? diff : concat(start, "run ", lesson.number, " && ", diff);
}

// The records of a lesson's runs with default and with changed settings.
std::pair<fs::path, fs::path> records_of(const Course& course, const LessonFolder& lesson) {
  const std::pair<fs::path, fs::path> records{lesson.run() / "run.json", lesson.changed_run() / "run.json"};
  const std::string run = concat(course.called, " run ", lesson.number);
  require(is_there(records.first), "lesson ", lesson.number, " has no run with default settings; ", run,
          " makes it");
  require(is_there(records.second), "lesson ", lesson.number, " has no run with changed settings; ", run,
          " KEY=VALUE makes it");
  return records;
}

}  // namespace

int run(const Course& course, const std::string& word, const std::vector<std::string>& words) {
  const LessonFolder& lesson = course.find(word);
  build_lesson(lesson);
  std::error_code ignored;
  const fs::path changed = lesson.changed_run() / "run.json";
  const fs::file_time_type before = fs::last_write_time(changed, ignored);
  const int status = run_with(lesson.program(), words);
  const auto is_question = [](const std::string& w) {
    return w == "-h" || w == "--help" || w == "--version";
  };
  if (status != 0 || std::any_of(words.begin(), words.end(), is_question)) return status;
  const std::string out = out_of(words);
  const bool has_changed = fs::last_write_time(changed, ignored) != before;
  const fs::path folder = !out.empty() ? fs::path(out) : has_changed ? lesson.changed_run() : lesson.run();
  std::printf("next: %s\n", next_step(course, lesson, folder).c_str());
  return status;
}

int trace(const std::vector<std::string>& words) {
  build_target("learn_trace_main", "the trace");
  return run_with(UMBRA_LEARN_BUILD "/lessons/trace", words);
}

void diff(const Course& course, const std::string& a, const std::string& b) {
  std::pair<fs::path, fs::path> records{record_in(a), record_in(b)};
  if (b.empty()) {
    const LessonFolder* lesson = course.lesson(a);
    require(lesson != nullptr || !is_there(records.first), "'", a,
            "' is one run; diff compares two, or those of a lesson: ", course.called, " diff 01");
    records = records_of(course, lesson != nullptr ? *lesson : course.find(a));
  }
  const RunRecord first = read_run(records.first);  // an error names the first file that cannot be read
  std::fputs(first_difference(first, read_run(records.second)).c_str(), stdout);
}

}  // namespace umbra::learn
