#include "tools/learn/build.h"

#include <cstdio>

#include "engine/base/error.h"
#include "learn_build.h"
#include "tools/common/process.h"
#include "tools/learn/turn.h"

namespace umbra::learn {

void build_target(const std::string& target, const std::string& what) {
  // Two builds of one folder at the same time would disturb each other: ninja has no lock.
  const Turn turn(UMBRA_LEARN_BUILD "/lessons");
  const Ended build = run_quietly({UMBRA_LEARN_CMAKE, "--build", UMBRA_LEARN_BUILD, "--target", target}, [&] {
    std::printf("building %s in %s …\n", what.c_str(), shown(UMBRA_LEARN_BUILD).c_str());
    std::fflush(stdout);
  });
  if (build.status == 0) return;
  std::fputs(build.output.c_str(), stderr);
  fail("building ", what, " failed (target ", target, " in " UMBRA_LEARN_BUILD ")");
}

bool lacks(const LessonFolder& lesson) {
  const std::string lacking = " " UMBRA_LEARN_WITHOUT " ";
  return lacking.find(" " + lesson.name + " ") != std::string::npos;
}

void build_lesson(const LessonFolder& lesson) {
  require(!lacks(lesson), "lesson ", lesson.number, " needs HDF5 and FFTW3, which this build lacks");
  build_target("lesson_" + lesson.number, "lesson " + lesson.number);
}

}  // namespace umbra::learn
