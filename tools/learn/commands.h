// The subcommands of `learn`. Each throws Error with one line for the user.
#pragma once

#include <string>
#include <vector>

#include "tools/learn/course.h"

namespace umbra::learn {

/// Prints the lessons, their state, the progress, and what to do next.
void list_lessons(const Course& course);

/// Builds a lesson and runs it with these words of the command line. Returns its exit status.
int run(const Course& course, const std::string& lesson, const std::vector<std::string>& words);

/// Checks the learner's file, records and prints the result. Returns the exit status: 0 if all exercises pass.
int check(const Course& course, const std::string& lesson);

/// Checks whenever the learner's file is saved, until all exercises pass. Returns the exit status.
int watch(const Course& course, const std::string& lesson);

/// Prints the next hint for the first exercise that does not pass.
void hint(const Course& course, const std::string& lesson);

/// Prints where two runs differ; `a` and `b` are folders with a run.json, or such files. If `b` is empty, `a` is a
/// lesson, whose run with changed settings is compared with the one with default settings.
void diff(const Course& course, const std::string& a, const std::string& b);

/// Writes the pages of these lessons, or of all, to the folder `out`, after running those that have not been run with
/// default settings since their program was built.
void page(const Course& course, const std::vector<std::string>& lessons, const std::string& out,
          bool overwrite);

/// Builds the trace and runs it with these words of the command line. Returns its exit status.
int trace(const std::vector<std::string>& words);

}  // namespace umbra::learn
