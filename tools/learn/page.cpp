// learn page.
#include <cstdio>

#include "engine/base/error.h"
#include "learn_build.h"
#include "tools/common/process.h"
#include "tools/learn/build.h"
#include "tools/learn/commands.h"
#include "tools/learn/common/run_record.h"
#include "tools/learn/page_builder.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

// Whether the run in learning/ is missing, damaged or older than the program, or has changed settings.
bool needs_run(const LessonFolder& lesson) {
  const fs::path record = lesson.run() / "run.json";
  std::error_code error;
  const auto run = fs::last_write_time(record, error);
  if (error || run < fs::last_write_time(lesson.program())) return true;
  try {
    return read_run(record).is_changed();
  } catch (const Error&) {
    return true;
  }
}

void run_for_page(const LessonFolder& lesson) {
  std::printf("running lesson %s, %s\n", lesson.number.c_str(), lesson.title.c_str());
  std::fflush(stdout);
  const Ended run = run_quietly({lesson.program().string()});
  if (run.status == 0) return;
  std::fputs(run.output.c_str(), stderr);
  fail("lesson ", lesson.number, " ended with exit status ", run.status);
}

}  // namespace

void page(const Course& course, const std::vector<std::string>& words, const std::string& out,
          bool overwrite) {
  std::vector<const LessonFolder*> lessons;
  lessons.reserve(course.lessons.size());
  for (const std::string& word : words) lessons.push_back(&course.find(word));
  for (const LessonFolder& lesson : course.lessons) {
    if (!words.empty()) break;
    if (lacks(lesson))
      std::printf("without lesson %s: it needs HDF5 and FFTW3, which this build lacks\n",
                  lesson.number.c_str());
    else
      lessons.push_back(&lesson);
  }
  PageOptions options{UMBRA_LEARN_SOURCE, "learning", out, {}, overwrite};
  for (const LessonFolder* lesson : lessons) options.lessons.push_back(lesson->name);
  check_outputs(options);
  for (const LessonFolder* lesson : lessons) {
    build_lesson(*lesson);
    if (needs_run(*lesson)) run_for_page(*lesson);
  }
  build_pages(options);
  const std::string first = lessons.size() == 1 ? lessons.front()->name : "index";
  std::printf("wrote %s\n", (fs::path(out) / (first + ".html")).c_str());
}

}  // namespace umbra::learn
