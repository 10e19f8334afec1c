// learn watch.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

#include "tools/learn/commands.h"
#include "tools/learn/learner_file.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

// What changes when a file is saved.
struct Stamp {
  bool exists = false;
  fs::file_time_type time{};
  std::uintmax_t size = 0;
  bool operator==(const Stamp&) const = default;
};

Stamp stamp_of(const fs::path& file) {
  std::error_code error;
  Stamp stamp;
  stamp.time = fs::last_write_time(file, error);
  stamp.exists = !error;
  stamp.size = error ? 0 : fs::file_size(file, error);
  return stamp;
}

void print_separator(const fs::path& file) {
  const std::time_t now = std::time(nullptr);
  char time[16];
  std::strftime(time, sizeof time, "%H:%M:%S", std::localtime(&now));
  std::printf("\n── %s  %s ──────────────────────────────\n", time, file.c_str());
}

}  // namespace

int watch(const Course& course, const std::string& word) {
  const LessonFolder& lesson = course.find(word);
  make_learner_file(course, lesson);
  for (;;) {
    const Stamp checked = stamp_of(lesson.exercises());  // before the check, so that no change is missed
    print_separator(lesson.exercises());
    if (check(course, lesson.name) == 0) return 0;
    std::printf("waiting until %s is saved; Ctrl-C ends\n", lesson.exercises().c_str());
    std::fflush(stdout);
    // An editor may remove the file and write another one.
    for (Stamp now = checked; now == checked || !now.exists; now = stamp_of(lesson.exercises()))
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace umbra::learn
