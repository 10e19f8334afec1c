// learn check.
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "engine/base/error.h"
#include "engine/base/listed.h"
#include "engine/io/text_reader.h"
#include "learn_build.h"
#include "tools/common/process.h"
#include "tools/common/tool.h"
#include "tools/learn/build.h"
#include "tools/learn/commands.h"
#include "tools/learn/common/folder.h"
#include "tools/learn/learner_file.h"
#include "tools/learn/progress.h"
#include "tools/learn/turn.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

// The compiler and the flags that built umbra, with checked indices and without complaints about blanks.
std::vector<std::string> compiler_command(const fs::path& file, const std::string& number,
                                          const fs::path& program) {
  std::vector<std::string> command{
      UMBRA_LEARN_COMPILER,  "-std=c++20",           "-O1", "-ffp-contract=off", "-Wall", "-Wno-unused",
      "-Werror=return-type", "-D_GLIBCXX_ASSERTIONS"};
  std::istringstream flags(UMBRA_LEARN_FLAGS);
  for (std::string flag; flags >> flag;) command.push_back(flag);
  const bool is_gcc = std::string(UMBRA_LEARN_COMPILER_ID) == "GNU";
  command.push_back(is_gcc ? "-fmax-errors=3" : "-ferror-limit=3");
  if (::isatty(STDOUT_FILENO) != 0)
    command.push_back(is_gcc ? "-fdiagnostics-color=always" : "-fcolor-diagnostics");
  for (const std::string& word :
       {std::string("-I" UMBRA_LEARN_SOURCE), file.string(),
        concat(UMBRA_LEARN_BUILD "/lessons/libcheck_", number, ".a"), std::string("-o"), program.string()})
    command.push_back(word);
  return command;
}

// The first lines of what a compiler prints.
void print_first(const std::string& text) {
  constexpr int kMost = 40;
  std::istringstream in(text);
  std::string line;
  for (int count = 0; std::getline(in, line); ++count) {
    if (count == kMost) {
      std::printf("…\n");
      return;
    }
    std::printf("%s\n", line.c_str());
  }
}

// The functions of exercises.h that the linker misses, as "loss(...)", in their order there. Nothing if it misses
// others, too: then its own words say more.
std::vector<std::string> missing_functions(const std::string& output, const LessonFolder& lesson) {
  static const std::regex missing("undefined (?:reference to .|symbol: )([^\n(]*)\\(");
  const std::string declared = read_text_file(lesson.source() / "exercises.h");
  std::map<std::size_t, std::string> found;  // by their place in exercises.h
  for (std::sregex_iterator at(output.begin(), output.end(), missing), end; at != end; ++at) {
    const std::string name = (*at)[1].str(), scope = "umbra::learn::";
    const std::string call = name.substr(name.starts_with(scope) ? scope.size() : 0) + "(";
    const std::size_t place = declared.find(" " + call);
    if (place == std::string::npos) return {};
    found[place] = call + "...)";
  }
  std::vector<std::string> functions;
  for (const auto& [place, function] : found) functions.push_back(function);
  return functions;
}

// Compiles the learner's file into `program`. Prints what is wrong and returns false if it cannot.
bool compile(const Course& course, const LessonFolder& lesson, const fs::path& program) {
  const std::string file = lesson.exercises();
  const Ended compiled = run_quietly(compiler_command(file, lesson.number, program), [&] {
    std::printf("compiling %s …\n", file.c_str());
    std::fflush(stdout);
  });
  const std::vector<std::string> missing =
      compiled.status == 0 ? std::vector<std::string>{} : missing_functions(compiled.output, lesson);
  if (!missing.empty()) {
    std::printf(
        "%s has no function %s with the parameters that %s declares; move the file away, and %s check %s "
        "makes a new one\n",
        file.c_str(), listed(missing, "or").c_str(), shown(lesson.source() / "exercises.h").c_str(),
        course.called.c_str(), lesson.number.c_str());
    return false;
  }
  print_first(compiled.output);
  if (compiled.status != 0) std::printf("%s does not compile\n", file.c_str());
  return compiled.status == 0;
}

// Runs the checks of a compiled file and returns which exercises pass.
std::array<bool, kExercises> run_checks(const fs::path& program) {
  const fs::path results = program.string() + ".results";
  std::error_code ignored;
  fs::remove(results, ignored);
  const int status = run_program({fs::absolute(program).string(), results.string()});
  std::array<bool, kExercises> passed{};
  std::ifstream in(results);
  require(in.good(), "the check ended with exit status ", status, " before its result");
  for (int number = 0; in >> number;) passed.at(static_cast<std::size_t>(number - 1)) = true;
  return passed;
}

}  // namespace

int check(const Course& course, const std::string& word) {
  const LessonFolder& lesson = course.find(word);
  const Progress before;  // first, because a damaged file ends the check
  if (make_learner_file(course, lesson))
    std::printf("wrote %s for your answers\n", lesson.exercises().c_str());
  build_target("check_" + lesson.number, "the checks of lesson " + lesson.number);
  const fs::path folder = "learning/.build";
  make_folder(folder, "the course");
  const Turn turn(folder);  // two checks would write the same program
  const fs::path program = folder / lesson.name;
  if (!compile(course, lesson, program)) return 1;  // the progress remains, and so does the exercise of hints
  const std::array<bool, kExercises> passed = run_checks(program);
  Progress progress = changed_progress(lesson.name, [&](LessonProgress& of) { of.passed = passed; });
  const LessonProgress& of = progress.of(lesson.name);
  std::printf("%d of %d exercises of lesson %s pass; %s\n", of.count(), kExercises, lesson.number.c_str(),
              progress.line(course).c_str());
  if (of.done())
    std::printf("next: %s list\n", course.called.c_str());
  else
    std::printf("next: exercise %d in %s; %s hint %s helps\n", of.next(), lesson.exercises().c_str(),
                course.called.c_str(), lesson.number.c_str());
  return of.done() ? 0 : 1;
}

}  // namespace umbra::learn
