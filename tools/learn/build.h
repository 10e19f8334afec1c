// Building what a command needs.
#pragma once

#include <string>

#include "tools/learn/course.h"

namespace umbra::learn {

/// Builds a target of the build folder that this program was built in, quietly unless it takes longer than a second:
/// then one line with `what` is printed. Throws Error after the output of a build that fails.
void build_target(const std::string& target, const std::string& what);
/// Whether this build lacks a package that the lesson needs.
bool lacks(const LessonFolder& lesson);
/// Builds the program of a lesson. Throws Error also if this build lacks what the lesson needs.
void build_lesson(const LessonFolder& lesson);

}  // namespace umbra::learn
