// The program `learn`, with the first lesson of the course.
#include "tests/learn/course_test.h"
#include "tools/learn/common/run_record.h"
#include "tools/learn/learner_file.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;

class DriverTest : public CourseTest {
 protected:
  const std::string name = "01_linear_regression", file = "learning/01_linear_regression.cpp";
  const std::string title = Course("learn").find("01").title;
  const std::string solutions = bytes(kLessons / name / "exercises.cpp");
  const std::string header = (kLessons / name / "exercises.h").string();
  const std::string blank =  // as made in a folder outside of the repository
      replaced(with_blanks(solutions, Course("learn").find("01"), "learn"), shown(header), header);

  /// The learner's file, with `code` in place of the blanks that are in `exercises`, such as "13".
  void answer(const std::string& exercises, const std::string& code) const {
    std::string content = blank;
    std::size_t at = 0;
    for (const char exercise : std::string("123")) {
      at = content.find("not_written();", at);
      ASSERT_NE(at, std::string::npos);
      if (exercises.find(exercise) != std::string::npos) content.replace(at, 14, code);
      ++at;
    }
    write(file, content);
  }
  void expect_state(const std::string& exercise, const std::string& state, const Outcome& check) const {
    const std::regex line("  . " + exercise + "\\. [^\n]*: " + state + "\n");
    EXPECT_TRUE(std::regex_search(replaced(replaced(check.output, "✗", "x"), "✓", "x"), line))
        << check.output;
  }
};

TEST_F(DriverTest, TheListShowsWhatHasBeenDoneAndWhatIsNext) {
  const Outcome empty = learn("list");
  EXPECT_EQ(empty.status, 0);
  EXPECT_HAS(empty.output, "  01  " + title);
  EXPECT_TRUE(std::regex_search(empty.output, std::regex("\n0 of \\d+ lessons done, 0 of \\d+ exercises\n")))
      << empty.output;
  EXPECT_HAS(empty.output, "next: learn run 01\n");
  EXPECT_FALSE(fs::exists(folder_ / "learning"));

  write("learning/" + name + "/run.json", "{}");
  EXPECT_HAS(learn("list").output, "next: learn page 01");
  answer("", "");
  EXPECT_HAS(learn("list").output, "next: write exercise 1 in " + file + ", then learn check 01\n");
  write("learning/progress.json",
        R"({"lessons": {"01_linear_regression": {"passed": [1, 3], "hints": [0, 0, 0]}}})");
  const Outcome two = learn("list");
  EXPECT_TRUE(std::regex_search(two.output, std::regex("  01  [^\n]* 2 of 3 exercises\n"))) << two.output;
  EXPECT_HAS(two.output, "next: write exercise 2 in ");
  EXPECT_TRUE(std::regex_search(two.output, std::regex("\n0 of \\d+ lessons done, 2 of \\d+ exercises\n")))
      << two.output;
  write("learning/progress.json",
        R"({"lessons": {"01_linear_regression": {"passed": [1, 2, 3], "hints": [0, 0, 0]}}})");
  const Outcome done = learn("list");
  EXPECT_TRUE(std::regex_search(done.output, std::regex("01  [^\n]*  done\n"))) << done.output;
  EXPECT_HAS(done.output, "✓ 01  " + title);
  EXPECT_TRUE(std::regex_search(done.output, std::regex("\n1 of \\d+ lessons done, 3 of \\d+ exercises\n")))
      << done.output;
  EXPECT_LACKS(done.output, "01 --out site");
}

TEST_F(DriverTest, TheFirstCheckMakesTheFileAndNoneChangesIt) {
  const Outcome first = learn("check 1");
  EXPECT_EQ(first.status, 1);
  EXPECT_HAS(first.output, "wrote " + file + " for your answers\n");
  EXPECT_HAS(first.output, "\nnext: exercise 1 in " + file + "; learn hint 01 helps\n");
  const std::regex progress(
      "\n0 of 3 exercises of lesson 01 pass; 0 of \\d+ lessons done, 0 of \\d+ exercises\n");
  EXPECT_TRUE(std::regex_search(first.output, progress)) << first.output;
  EXPECT_EQ(text(file), blank);
  EXPECT_HAS(blank, "\n// " + header + " explains ");
  EXPECT_TRUE(fs::exists(header));
  EXPECT_LACKS(blank, "BLANK");
  EXPECT_LACKS(blank, "// END");
  EXPECT_EQ(count(blank, "not_written();"), 3);
  EXPECT_EQ(count(blank, "// Exercise "), 3);
  write(file, blank + "// mine\n");
  const Outcome second = learn("check linear_regression");
  EXPECT_LACKS(second.output, "wrote");
  EXPECT_EQ(text(file), blank + "// mine\n");
}

TEST_F(DriverTest, AWrongFunctionIsShownWithWhatWasExpected) {
  answer("1", "return {};");
  const Outcome wrong = learn("check 01");
  EXPECT_EQ(wrong.status, 1);
  expect_state("1", "wrong", wrong);
  expect_state("2", "not written yet", wrong);
  EXPECT_HAS(wrong.output, "expected");
  answer("2", "throw 1;");
  expect_state("2", "wrong", learn("check 01"));
}

TEST_F(DriverTest, ACompileErrorIsShownInTheWordsOfTheCompiler) {
  answer("3", "return no_such_name;");
  const Outcome wrong = learn("check 01");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_HAS(wrong.output, "error: ");
  EXPECT_HAS(wrong.output, "no_such_name");
  EXPECT_TRUE(wrong.output.starts_with(file + ":") || wrong.output.starts_with(file + ": In"))
      << wrong.output;
  EXPECT_TRUE(wrong.output.ends_with(file + " does not compile\n")) << wrong.output;
  EXPECT_LT(count(wrong.output, "\n"), 45);
  std::string many = "return 0;";
  for (int i = 0; i < 200; ++i) many += "\n  no_such_name_" + std::to_string(i) + "();";
  answer("1", many);
  EXPECT_EQ(count(learn("check 01").output, "error: "), 3);
  answer("1", ";");  // a function without a return statement
  EXPECT_TRUE(learn("check 01").output.ends_with(file + " does not compile\n"));
}

// The words of the linker do not say what to do.
TEST_F(DriverTest, FunctionsThatTheFileLacksAreNamed) {
  const std::string message = file + " has no function ",
                    advice = " with the parameters that " + header +
                             " declares; move the file away, and learn check 01 makes a new one\n";
  write(file, "");
  const Outcome empty = learn("check 01");
  EXPECT_EQ(empty.status, 1);
  EXPECT_EQ(empty.output, message + "loss(...), gradient(...) or epoch(...)" + advice);
  write(file, solutions.substr(0, solutions.find("Line gradient(")) + "}  // namespace umbra::learn\n");
  EXPECT_EQ(learn("check 01").output, message + "gradient(...) or epoch(...)" + advice);
  write(file, solutions + "int mine();\nint other = mine();\n");
  const Outcome own = learn("check 01");
  EXPECT_HAS(own.output, "mine");
  EXPECT_TRUE(own.output.ends_with(file + " does not compile\n")) << own.output;
}

TEST_F(DriverTest, ACheckWhoseOutputNobodyReadsIsRecorded) {
  write(file, "#include <unistd.h>\n" + replaced(solutions, "double sum = 0;",
                                                 "static int slept = ::usleep(300000); double sum = slept;"));
  const Outcome cut =
      shell("{ learn check 01 | while [ ! -e learning/.build/" + name + " ]; do sleep 0.02; done; }");
  EXPECT_EQ(cut.output, "");
  EXPECT_HAS(learn("list").output, "✓ 01  " + title);
}

// The file includes a pipe that is written when the message has been printed.
TEST_F(DriverTest, ACompilationThatTakesLongIsAnnounced) {
  write(file, "#include \"slow.h\"\n" + solutions);
  shell(
      "mkfifo learning/slow.h; learn check 01 > out & for i in $(seq 600); do sleep 0.1; "
      "grep -qs '^compiling ' out && break; done; timeout 60 bash -c 'echo > learning/slow.h'; wait");
  EXPECT_HAS(text("out"), "compiling " + file + " …\n");
  EXPECT_HAS(text("out"), "3 of 3 exercises of lesson 01 pass");
}

TEST_F(DriverTest, WarningsAreShownButNotAllOfThem) {
  std::string many;
  for (int i = 0; i < 60; ++i) many += "__builtin_printf(\"%d\", 1.0);\n  ";
  answer("1", many + "not_written();");
  const Outcome check = learn("check 01");
  EXPECT_HAS(check.output, "warning: ");
  EXPECT_LT(count(check.output, "\n"), 50);
  EXPECT_HAS(check.output, "\n…\n");
  expect_state("1", "not written yet", check);
}

TEST_F(DriverTest, AFunctionThatDoesNotReturnFailsAlone) {
  answer("1", "volatile bool again = true;\n  while (again) continue;\n  not_written();");
  const Outcome endless = shell("UMBRA_LEARN_SECONDS=1 learn check 01");
  EXPECT_EQ(endless.status, 1);
  expect_state("1", "does not end; stopped after 1 s", endless);
  expect_state("2", "not written yet", endless);
  answer("3", "std::vector<double> none; none[3] = 1; not_written();");
  write(file, text(file).replace(text(file).find("not_written();"), 14, "return x[x.size()];"));
  const Outcome outside = learn("check 01");
  expect_state("1", "crashes: an index is outside of its list", outside);
  expect_state("3", "crashes: an index is outside of its list", outside);
  answer("3", "__builtin_trap();");
  const Outcome crash = learn("check 01");
  EXPECT_EQ(crash.status, 1);
  expect_state("3", "crashes: [A-Z][^\n]*", crash);
}

TEST_F(DriverTest, TheSolutionsPassAndProgressIsKept) {
  write(file, solutions);
  const Outcome solved = learn("check 01");
  EXPECT_EQ(solved.status, 0);
  for (const char* exercise : {"1", "2", "3"}) expect_state(exercise, "passed", solved);
  EXPECT_HAS(solved.output, "3 of 3 exercises of lesson 01 pass; 1 of ");
  EXPECT_HAS(solved.output, "\nnext: learn list\n");
  EXPECT_HAS(learn("list").output, "✓ 01  " + title);
  EXPECT_HAS(learn("hint 01").output, "nothing to hint at");
  write(file, solutions + "\nno C++");
  EXPECT_EQ(learn("check 01").status, 1);
  EXPECT_HAS(learn("list").output, "✓ 01  " + title);
  write(file, blank);
  EXPECT_EQ(learn("check 01").status, 1);
  EXPECT_LACKS(learn("list").output, "✓ 01");
}

TEST_F(DriverTest, HintsComeOneByOneThenTheSolution) {
  std::vector<std::string> hints;
  for (const std::string& line : lines_of(kLessons / name / "hints.txt"))
    if (line.starts_with("1 ")) hints.push_back(line.substr(2));
  ASSERT_EQ(hints.size(), 3U);
  EXPECT_EQ(learn("hint 01").output, "exercise 1, hint 1 of 3: " + hints[0] + "\n");
  EXPECT_EQ(learn("hint 01").output, "exercise 1, hint 2 of 3: " + hints[1] + "\n");
  EXPECT_EQ(learn("hint 01").output, "exercise 1, hint 3 of 3: " + hints[2] + "\n");
  const Outcome last = learn("hint 01");
  EXPECT_EQ(last.status, 0);
  std::smatch match;
  ASSERT_TRUE(std::regex_search(last.output, match, std::regex("a solution is in (\\S+), line (\\d+)\n")))
      << last.output;
  const std::vector<std::string> lines = lines_of(match[1].str());
  EXPECT_HAS(lines.at(static_cast<std::size_t>(std::stoi(match[2])) - 1), "// BLANK 1:");
  write("learning/progress.json",
        R"({"lessons": {"01_linear_regression": {"passed": [1], "hints": [3, 0, 0]}}})");
  EXPECT_HAS(learn("hint 01").output, "exercise 2, hint 1 of 3: ");
  EXPECT_HAS(text("learning/progress.json"), "\"passed\"");
}

TEST_F(DriverTest, ADamagedProgressFileIsReportedAndKept) {
  for (const char* content :
       {"{", "[]", R"({"lessons": {"01_linear_regression": {"passed": [7], "hints": [0, 0, 0]}}})",
        R"({"lessons": {"01_linear_regression": {"passed": [], "hints": [-1, 0, 0]}}})"}) {
    write("learning/progress.json", content);
    for (const char* command : {"list", "check 01", "hint 01", "watch 01"}) {
      const Outcome outcome = learn(command);
      EXPECT_EQ(outcome.status, 1) << command;
      EXPECT_HAS(outcome.output, "learn: 'learning/progress.json' is damaged");
      EXPECT_EQ(text("learning/progress.json"), content);
    }
  }
}

TEST_F(DriverTest, ProgressOfOtherLessonsIsKept) {
  write("learning/progress.json", R"({"lessons": {"77_later": {"passed": [2], "hints": [1, 0, 0]}}})");
  EXPECT_EQ(learn("hint 01").status, 0);
  const std::string kept = replaced(replaced(text("learning/progress.json"), "\n", ""), " ", "");
  EXPECT_HAS(kept, R"("77_later":{"passed":[2],"hints":[1,0,0]})");
  EXPECT_HAS(kept, R"("01_linear_regression":{"passed":[],"hints":[1,0,0]})");
}

// In a folder with a blank in its name, and with files as editors of other systems write them.
TEST_F(DriverTest, ChecksAtTheSameTimeLoseNothing) {
  const std::string other = Course("learn").find("02").name;
  write("a folder/" + file, replaced(solutions, "\n", "\r\n"));
  write("a folder/learning/" + other + ".cpp", "\xEF\xBB\xBF" + bytes(kLessons / other / "exercises.cpp"));
  const Outcome both = shell("cd 'a folder' && { learn check 01 & learn check 02 & learn check 01 & wait; }");
  EXPECT_EQ(count(both.output, "3 of 3 exercises of lesson 01 pass"), 2) << both.output;
  EXPECT_HAS(both.output, "3 of 3 exercises of lesson 02 pass");
  EXPECT_HAS(shell("cd 'a folder' && learn list").output, "\n2 of ");
}

TEST_F(DriverTest, WrongWordsAreAnsweredWithTheNearest) {
  const std::tuple<const char*, int, const char*> wrong[] = {
      {"check linear_regresion", 1,
       "learn: there is no lesson linear_regresion; did you mean 'linear_regression'?\n"},
      {"run 01_linear_regressio", 1, "did you mean '01_linear_regression'?\n"},
      {"hint 77", 1, "learn: there is no lesson 77; learn list shows the lessons\n"},
      {"chek 01", 2, "did you mean 'check'?\n"},
      {"", 2, "list, run, check"},
      {"check", 2, "LESSON"},
      {"run", 2, "learn run: a lesson is expected, as in learn run 01\n"},
      {"run rate=1 --out 02", 2, "learn run: a lesson is expected"},
      {"check 01 02", 2, "unexpected word 02"},
      {"page 01 --ot x", 2, "did you mean '--out'?"},
      {"run 01 no_such_setting=1", 1, "lesson 01: "},
      {"run --out here 1 no_such_setting=1", 1, "lesson 01: "},
      {"run --out '' 1", 1, "lesson 01: --out: the name of a folder is expected"},
      {"diff a", 1, "there is no lesson a; learn list shows the lessons"},
      {"diff", 2, "A"}};
  for (const auto& [words, status, message] : wrong) {
    const Outcome outcome = learn(words);
    EXPECT_EQ(outcome.status, status) << words << ": " << outcome.output;
    EXPECT_HAS(outcome.output, message);
    EXPECT_EQ(count(outcome.output, "\n"), 1) << outcome.output;
  }
}

TEST_F(DriverTest, RunHandsItsWordsToTheLesson) {
  EXPECT_HAS(learn("run --help").output, "Usage: learn run LESSON");
  const Outcome help = learn("run 01 --help");
  EXPECT_EQ(help.status, 0);
  EXPECT_HAS(help.output, "Usage: lesson 01");
  const Outcome run = learn("run 01 --out here");
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_HAS(run.output, "wrote here/run.json\n");
  EXPECT_TRUE(fs::exists(folder_ / "here/run.json"));
  const Outcome again = learn("run 01 --out here");
  EXPECT_EQ(again.status, 1);
  EXPECT_HAS(again.output, "--overwrite replaces it");
  EXPECT_EQ(learn("run 01 --out here --overwrite").status, 0);
}

TEST_F(DriverTest, TraceHandsItsWordsToTheTrace) {
  const Outcome help = learn("trace --help");
  EXPECT_EQ(help.status, 0) << help.output;
  EXPECT_EQ(help.output, shell((kPrograms / "trace").string() + " --help").output);
  EXPECT_HAS(help.output, "Usage");
  EXPECT_NE(learn("trace --no-such-option").status, 0);
}

TEST_F(DriverTest, WatchChecksEverySavedFileUntilAllPass) {
  const Outcome watch =
      shell("{ (for i in $(seq 3000); do sleep 0.1; grep -qs waiting watched && break; done; cp '" +
            (kLessons / name / "exercises.cpp").string() + "' saved && mv saved " + file +
            ") & timeout 300 learn watch 01 | tee watched; exit ${PIPESTATUS[0]}; }");
  EXPECT_EQ(watch.status, 0) << watch.output;
  EXPECT_EQ(count(watch.output, "\n── "), 2) << watch.output;
  EXPECT_HAS(watch.output, ": not written yet\n");
  EXPECT_HAS(watch.output, "waiting until " + file + " is saved; Ctrl-C ends\n");
  EXPECT_HAS(watch.output, "3 of 3 exercises of lesson 01 pass");
}

TEST_F(DriverTest, WatchEndsWithTheSignal) {
  const Outcome watch = testing_tools::run_and_signal(
      "env -C '" + folder_.string() + "' " UMBRA_BINARY_DIR "/tools/learn watch 01", "waiting", "INT");
  EXPECT_EQ(watch.status, 130) << watch.output;
  EXPECT_EQ(text(file), replaced(blank, "check them: learn", "check them: " UMBRA_BINARY_DIR "/tools/learn"));
}

TEST_F(DriverTest, PageRunsALessonWhoseRunIsMissingOrOld) {
  if (shell("pandoc --version").status != 0) GTEST_SKIP() << "no pandoc";
  const Outcome first = learn("page 01 --out pages");
  EXPECT_EQ(first.status, 0) << first.output;
  EXPECT_HAS(first.output, "running lesson 01, ");
  EXPECT_TRUE(first.output.ends_with("wrote pages/" + name + ".html\n")) << first.output;
  EXPECT_TRUE(fs::exists(folder_ / "pages" / (name + ".html")));
  const Outcome again = learn("page 01 --out pages");
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_LACKS(again.output, "running");
  const fs::path record = folder_ / "learning" / name / "run.json";
  ASSERT_EQ(shell("touch -d 2001-01-01 " + record.string()).status, 0);
  write("pages/" + name + ".html", "mine");
  const Outcome refused = learn("page 01 --out pages");
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.output,
            "learn: cannot write 'pages/" + name + ".html': it exists; --overwrite replaces it\n");
  const Outcome old = learn("page 01 --out pages --overwrite");
  EXPECT_EQ(old.status, 0) << old.output;
  EXPECT_HAS(old.output, "running lesson 01, ");
  RunRecord changed = read_run(record);
  changed.settings.front().value = "0.5";
  write_run(record, changed);
  EXPECT_HAS(learn("page 01 --out pages").output, "running lesson 01, ");
  EXPECT_FALSE(read_run(record).is_changed()) << "a page is of a run with default settings";
}

TEST(LearnerFile, BlanksMustBeCompleteAndInOrder) {
  const LessonFolder lesson{"01_a", "01", "A"};
  const std::string one = "  // BLANK 1: a\n  a();\n  // END\n", two = replaced(one, "1", "2"),
                    three = replaced(one, "1", "3");
  EXPECT_EQ(with_blanks("// Solutions.\nint f() {\n" + one + two + three + "}\n", lesson, "learn"),
            "// Your answers to the exercises of lesson 01, A.\n"
            "// Write each in place of not_written(), then check them: learn check 01\n// " +
                shown(lesson.source() / "exercises.h") +
                " explains the functions and their types.\n"
                "int f() {\n  // Exercise 1: a\n  not_written();\n  // Exercise 2: a\n  not_written();\n"
                "  // Exercise 3: a\n  not_written();\n}\n");
  for (const std::string& wrong : {one + two, two + one + three, one + two + three + replaced(one, "1", "4"),
                                   one + two + replaced(three, "// END", "")})
    EXPECT_THROW(with_blanks(wrong, lesson, "learn"), Error) << wrong;
}

TEST(LessonTitles, ComeFromThePages) {
  const Course course("learn");
  EXPECT_EQ(course.find("1").name, "01_linear_regression");
  EXPECT_EQ(&course.find("01"), &course.find("linear_regression"));
  EXPECT_EQ(&course.find("01"), &course.find("01_linear_regression"));
  for (const LessonFolder& lesson : course.lessons)
    EXPECT_HAS(lines_of(lesson.source() / "page.md").at(0), lesson.title);
}

}  // namespace
}  // namespace umbra::learn
