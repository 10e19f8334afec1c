// learn: the course of lessons, from its list to the checks of its exercises.
#include <optional>

#include "tools/common/command_line.h"
#include "tools/learn/commands.h"
#include "tools/learn/common/folder.h"

namespace umbra::learn {
namespace {

// The words of the command line, and what the chosen subcommand does with them.
struct CommandLine {
  ToolApp app{
      "Lessons about how backpropagation and SGD work inside: programs to run and to change, with exercises. "
      "Runs, exercises and progress are kept in learning/ of the current folder.",
      "learn"};
  std::string lesson, first, second, out = "site";
  std::vector<std::string> lessons;
  bool overwrite = false;
  std::function<int(const Course&)> chosen;

  CLI::App* add(const std::string& name, const std::string& what, std::function<int(const Course&)> action) {
    CLI::App* command = app.add_subcommand(name, what);
    command->callback([this, action = std::move(action)] { chosen = action; });
    return command;
  }
  void add_lesson(CLI::App* command) {
    command->add_option("LESSON", lesson, "the number or the name of a lesson")->required();
  }
  // All words after the command (and the lesson) are for another program, --help among them.
  void forward_the_rest(CLI::App* command) {
    command->set_help_flag("");
    command->prefix_command();
  }
  std::vector<std::string> rest() const { return app.get_subcommands().front()->remaining(); }
};

const char* const kRun =
    "Build a lesson and run it, with settings key=value. The run is written to learning/NN_name, one with changed "
    "settings to learning/NN_name.changed; learn diff LESSON compares the two. --out FOLDER: another folder, which "
    "must not contain a run unless --overwrite is given. learn run LESSON --help lists the settings.";

// Takes the lesson out of the words after `run`: the first word except for options, the folder of --out and settings.
std::optional<std::string> taken_lesson(std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && words[i - 1] == "--out") continue;
    if (words[i].starts_with("-") || words[i].find('=') != std::string::npos) continue;
    const std::string lesson = words[i];
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
    return lesson;
  }
  return std::nullopt;
}

int run_words(const CommandLine& line, const Course& course) {
  std::vector<std::string> words = line.rest();
  if (const auto lesson = taken_lesson(words)) return run(course, *lesson, words);
  for (const std::string& word : words) {
    if (word != "-h" && word != "--help") continue;
    std::printf("%s\nUsage: learn run LESSON [key=value ...] [--out FOLDER] [--overwrite]\n", kRun);
    return 0;
  }
  std::fprintf(stderr, "learn run: a lesson is expected, as in %s run 01\n", course.called.c_str());
  return 2;
}

void add_commands(CommandLine& line) {
  line.app.require_subcommand(1);
  line.add("list", "Print the lessons, what has been done and what is next", [](const Course& course) {
    list_lessons(course);
    return 0;
  });
  line.forward_the_rest(line.add("run", kRun, [&](const Course& course) { return run_words(line, course); }));
  line.add_lesson(line.add("check",
                           "Check what you wrote in learning/NN_name.cpp; the first check makes that file",
                           [&](const Course& course) { return check(course, line.lesson); }));
  line.add_lesson(line.add("watch", "Check whenever learning/NN_name.cpp is saved, until all exercises pass",
                           [&](const Course& course) { return watch(course, line.lesson); }));
  line.add_lesson(line.add("hint", "Print the next hint for the first exercise that does not pass",
                           [&](const Course& course) {
                             hint(course, line.lesson);
                             return 0;
                           }));
  CLI::App* diff = line.add("diff", "Print where two runs of a lesson differ: settings, and the first number",
                            [&](const Course& course) {
                              learn::diff(course, line.first, line.second);
                              return 0;
                            });
  diff->add_option("A", line.first, "a folder with a run, or its run.json; or, alone, a lesson")->required();
  diff->add_option("B", line.second, "another run; none: A is a lesson, whose runs are compared");
  CLI::App* page = line.add("page", "Write the pages of lessons, or of all: open them in a browser",
                            [&](const Course& course) {
                              learn::page(course, line.lessons, line.out, line.overwrite);
                              return 0;
                            });
  page->add_option("LESSON", line.lessons, "numbers or names of lessons; none: all");
  page->add_option("--out", line.out, "the folder for the pages");
  add_overwrite(*page, line.overwrite, "a file in --out that is not a page of the course");
  line.forward_the_rest(line.add("trace",
                                 "Step through the forward and backward pass of a small network; "
                                 "learn trace --help lists the options",
                                 [&](const Course&) { return trace(line.rest()); }));
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  umbra::learn::CommandLine line;
  umbra::learn::add_commands(line);
  int status = 0;
  const int failed = umbra::run_tool(line.app, argc, argv, [&] {
    umbra::learn::refuse_file("learning", "the course");
    const umbra::learn::Course course(argv[0]);
    status = line.chosen(course);
  });
  return failed != 0 ? failed : status;
}
