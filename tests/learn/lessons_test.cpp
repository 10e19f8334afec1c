// Every lesson of the course: its claims hold, whatever the number of threads; its exercises can be solved, and are not
// solved by what a learner begins with; and it is small.
#include <algorithm>
#include <iterator>
#include <regex>
#include <sstream>

#include "learn_build.h"
#include "tests/learn/course_test.h"
#include "tools/learn/common/run_record.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;
using testing_tools::Outcome;

// From CMake, so that a new lesson changes this program and ctest lists its tests.
std::vector<std::string> lessons() {
  std::istringstream in(UMBRA_LESSONS);
  return {std::istream_iterator<std::string>(in), {}};
}

class LessonTest : public CourseTest, public ::testing::WithParamInterface<std::string> {
 protected:
  const std::string name = GetParam(), number = GetParam().substr(0, 2);
  const fs::path source = kLessons / GetParam();

  RunRecord run_with_threads(int threads) const {
    const std::string out = concat("threads-", threads);
    const Outcome run =
        shell(concat("OMP_NUM_THREADS=", threads, " ", (kPrograms / name).string(), " --out ", out));
    EXPECT_EQ(run.status, 0) << run.output;
    return read_run(folder_ / out / "run.json");
  }
  int lines(const std::vector<fs::path>& files) const {
    std::size_t sum = 0;
    for (const fs::path& file : files) sum += lines_of(file).size();
    return static_cast<int>(sum);
  }
};

TEST_P(LessonTest, ClaimsHoldAndThreadsDoNotChangeABit) {
  if (std::string(" " UMBRA_LEARN_WITHOUT " ").find(" " + name + " ") != std::string::npos)
    GTEST_SKIP() << "needs HDF5 and FFTW3";
  const RunRecord one = run_with_threads(1), three = run_with_threads(3);
  EXPECT_EQ(one.lesson, name);
  EXPECT_FALSE(one.claims.empty());
  EXPECT_FALSE(one.recorded.empty());
  EXPECT_FALSE(one.settings.empty());
  for (const Claimed& claim : one.claims) EXPECT_TRUE(claim.holds) << claim.text;
  EXPECT_HAS(first_difference(one, three), "are the same bits");
  ASSERT_EQ(one.claims.size(), three.claims.size());
  for (std::size_t i = 0; i < one.claims.size(); ++i) EXPECT_EQ(one.claims[i].text, three.claims[i].text);
}

TEST_P(LessonTest, TheBlanksFailAndTheSolutionsPass) {
  const Outcome blank = learn("check " + number);
  EXPECT_EQ(blank.status, 1) << blank.output;
  EXPECT_EQ(count(blank.output, ": not written yet\n"), 3) << blank.output;
  EXPECT_LACKS(blank.output, "warning");
  fs::copy_file(source / "exercises.cpp", folder_ / "learning" / (name + ".cpp"),
                fs::copy_options::overwrite_existing);
  const Outcome solved = learn("check " + number);
  EXPECT_EQ(solved.status, 0) << solved.output;
  for (const char* exercise : {"  ✓ 1. ", "  ✓ 2. ", "  ✓ 3. "}) EXPECT_HAS(solved.output, exercise);
  EXPECT_LACKS(solved.output, "warning");
}

TEST_P(LessonTest, ProgramAndExercisesHaveAtMost250LinesEach) {
  std::vector<fs::path> program, exercises;
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    const std::string file = entry.path().filename(), extension = entry.path().extension();
    if (extension != ".cpp" && extension != ".h") continue;
    (file.starts_with("exercises.") || file == "check.cpp" ? exercises : program).push_back(entry.path());
  }
  EXPECT_GE(program.size(), 1U);
  EXPECT_GE(exercises.size(), 3U);
  EXPECT_LE(lines(program), 250);
  EXPECT_LE(lines(exercises), 250);
}

TEST_P(LessonTest, EveryExerciseHasThreeHints) {
  std::vector<std::string> numbers;
  for (const std::string& line : lines_of(source / "hints.txt")) {
    ASSERT_TRUE(std::regex_match(line, std::regex("[123] .{15,}"))) << line;
    numbers.push_back(line.substr(0, 1));
  }
  EXPECT_EQ(numbers, (std::vector<std::string>{"1", "1", "1", "2", "2", "2", "3", "3", "3"}));
}

TEST_P(LessonTest, ThePageBeginsWithItsTitleAndEndsWithThreeExercises) {
  const std::vector<std::string> page = lines_of(source / "page.md");
  ASSERT_GE(page.size(), 80U);
  EXPECT_LE(page.size(), 200U + 1);  // with the line of the question
  EXPECT_TRUE(page.front().starts_with(concat("# ", std::stoi(number), ". "))) << page.front();
  std::vector<std::string> headings;
  for (const std::string& line : page) {
    if (line.starts_with("## ")) headings = {line};
    if (line.starts_with("### ")) headings.push_back(line.substr(0, 7));
    const bool is_text = !line.empty() && !line.starts_with("#");
    if (is_text && headings.size() > 1 && headings.back().size() == 7) headings.back() += "text";
  }
  EXPECT_EQ(headings,
            (std::vector<std::string>{"## Exercises", "### 1. text", "### 2. text", "### 3. text"}));
}

TEST_P(LessonTest, IsInTheTableOfTheReadme) {
  const std::vector<std::string> page = lines_of(source / "page.md");
  const std::string title = page.at(0), question = page.at(1), start = "<!-- question: ";
  ASSERT_TRUE(question.starts_with(start) && question.ends_with("? -->")) << question;
  const std::string row =
      concat("| [", number, "](", name, "/page.md) | ", title.substr(title.find(". ") + 2), " | ",
             question.substr(start.size(), question.size() - start.size() - 4), " | ");
  const std::vector<std::string> readme = lines_of(kLessons / "README.md");
  EXPECT_EQ(std::count_if(readme.begin(), readme.end(),
                          [&](const std::string& line) { return line.starts_with(row); }),
            1)
      << row;
}

// So that they compile in a second, and link without the engine. Follows what they include.
TEST_P(LessonTest, ExercisesIncludeNothingButValuesOfTheEngine) {
  const std::regex include(R"(#include "([^"]+)\")");
  const std::string own = "tools/learn/" + name + "/";
  std::vector<std::string> files{own + "exercises.h", own + "exercises.cpp", own + "check.cpp"};
  for (std::size_t i = 0; i < files.size(); ++i) {
    ASSERT_TRUE(fs::exists(UMBRA_SOURCE_DIR "/" + files[i])) << files[i];
    for (const std::string& line : lines_of(UMBRA_SOURCE_DIR "/" + files[i])) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string path = match[1];
      EXPECT_TRUE(path.starts_with(own) || path.starts_with("engine/base/") ||
                  path.starts_with("tools/learn/common/"))
          << files[i] << " includes " << path;
      if (!path.starts_with("engine/") && std::find(files.begin(), files.end(), path) == files.end())
        files.push_back(path);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Course, LessonTest, ::testing::ValuesIn(lessons()),
                         [](const auto& lesson) { return lesson.param; });

}  // namespace
}  // namespace umbra::learn
