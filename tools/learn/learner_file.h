// The file that a learner writes: a lesson's exercises.cpp with blanks in place of the solutions.
#pragma once

#include <string>

#include "tools/learn/course.h"

namespace umbra::learn {

/// `solutions` is exercises.cpp. Every part from "// BLANK 1: what to write" to "// END" becomes "// Exercise 1: what
/// to write" and a call of not_written(), and the comment at the beginning of the file becomes one for the learner:
/// how to check the file with this program, which is `called`, and where its types are explained. Throws Error unless
/// there are exactly three blanks, in order.
std::string with_blanks(const std::string& solutions, const LessonFolder& lesson, const std::string& called);

/// Writes the learner's file if there is none; never changes one that exists. Returns whether it was written.
bool make_learner_file(const Course& course, const LessonFolder& lesson);

/// The line of tools/learn/NN_name/exercises.cpp where the solution of an exercise begins.
int line_of_solution(const LessonFolder& lesson, int exercise);

}  // namespace umbra::learn
