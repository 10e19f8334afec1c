// What all lessons share: the program that checks exercises, the run of a lesson, and the record that it leaves.
#include <bit>
#include <cmath>
#include <limits>

#include "tests/learn/course_test.h"
#include "tools/learn/common/run_record.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;
using testing_tools::Outcome;

const std::string kSampleLesson = UMBRA_BINARY_DIR "/tests/learn/learn_sample_lesson";
const std::string kSampleCheck = UMBRA_BINARY_DIR "/tests/learn/learn_sample_check";

class CheckerTest : public CourseTest {};

TEST_F(CheckerTest, AnExerciseFailsInItsOwnWayAndAlone) {
  const Outcome check = shell("UMBRA_LEARN_SECONDS=1 " + kSampleCheck + " results");
  EXPECT_EQ(check.status, 1);
  for (const char* line :
       {"  ✓ 1. right: passed\n  ✗ 2. wrong: wrong\n       a number: 1.5, expected 1, difference 0.5\n",
        "       not a number: nan, expected 1, difference nan\n",
        "       a sum: 1.000001, expected 1, difference 1e-06\n", "       too few: 2 numbers, expected 4\n",
        "       numbers: 2 of 4 numbers are wrong; at index 3 it is 8, expected 4\n       and 1 more\n",
        "  ✗ 3. empty: not written yet\n", "  ✗ 4. throws: wrong\n       it throws: no\n",
        "  ✗ 5. throws a number: wrong\n       it throws something that is not a std::exception\n",
        "  ✗ 6. endless: does not end; stopped after 1 s\n",
        "  ✗ 7. crashes: crashes: an index out of range, or a recursion without end\n",
        "  ✗ 8. aborts: crashes: Aborted\n", "  ✗ 9. exits: ends the program, with exit status 0\n",
        "  ✓ 10. prints: passed\nline 0\n", "line 11\n       …\nline 88\n",
        "line 99\n  ✓ 11. writes: passed\n", "  ✓ 12. reads: passed\n",
        "  ✗ 13. lists: wrong\n       the only one: 2, expected 1, difference 1\n",
        "       one of four: 1 of 4 numbers is wrong; at index 3 it is 8, expected 4\n",
        "       one for four: 1 number, expected 4\n       expected: 0.5 or -2\n"})
    EXPECT_HAS(check.output, line);
  EXPECT_EQ(text("results"), "1\n10\n11\n12\n");
}

class RunTest : public CourseTest {
 protected:
  Outcome sample(const std::string& words) const { return shell(kSampleLesson + " " + words); }
  /// The colours of a figure in the order in which they are used.
  static std::string colours(const std::string& svg) {
    const std::regex colour("(?:fill|stroke)=\"(#[0-9a-f]{6})\"");
    std::string found;
    for (std::sregex_iterator at(svg.begin(), svg.end(), colour), end; at != end; ++at)
      if (!found.ends_with((*at)[1].str() + " ")) found += (*at)[1].str() + " ";
    return found;
  }
  std::string difference(const std::string& a, const std::string& b) const {
    const Outcome diff = learn("diff " + a + " " + b);
    EXPECT_EQ(diff.status, 0) << diff.output;
    return diff.output;
  }
};

TEST_F(RunTest, ALessonWritesItsRecordWhereAskedAndReplacesNothingUnasked) {
  const Outcome first = sample("");
  EXPECT_EQ(first.status, 0) << first.output;
  EXPECT_HAS(first.output, "the last value is 0.125\n");
  EXPECT_HAS(first.output, "  ✓ the last value is small: 0.125 < 0.2\n");
  EXPECT_HAS(first.output, "  ✓ half of the first: 0.5, expected 0.5 ± 0.1\n");
  EXPECT_HAS(first.output, "3 of 3 claims hold; wrote learning/98_sample/run.json\n");
  EXPECT_HAS(text("learning/98_sample/values.svg"), "<title>Values that shrink.</title>");
  EXPECT_HAS(text("learning/98_sample/values.svg"), "a &lt; b &amp; c");
  EXPECT_EQ(colours(text("learning/98_sample/values.svg")), "#0072b2 #d55e00 #009e73 #d55e00 #0072b2 ")
      << "lines with the theory, points, the legend";
  EXPECT_EQ(sample("").status, 0) << "the default folder belongs to the lesson";
  EXPECT_EQ(sample("--out other").status, 0);
  EXPECT_EQ(text("other/run.json"), text("learning/98_sample/run.json"));
  const Outcome again = sample("--out other");
  EXPECT_EQ(again.status, 1);
  EXPECT_HAS(again.output, "lesson 98: cannot write 'other/run.json': it exists; --overwrite replaces it");
  EXPECT_EQ(sample("--out other --overwrite").status, 0);
}

TEST_F(RunTest, ARunWithChangedSettingsDoesNotReplaceTheDefaultRun) {
  ASSERT_EQ(sample("").status, 0);
  const std::string before = text("learning/98_sample/run.json");
  for (const char* rate : {"0.25", "0.5e0", "2"}) {
    const std::string folder = rate[2] == '5' ? "98_sample" : "98_sample.changed";
    const Outcome changed = sample(std::string("rate=") + rate);
    EXPECT_HAS(changed.output, "claims hold; wrote learning/" + folder + "/run.json\n");
    EXPECT_EQ(text("learning/98_sample/run.json"), before);
  }
  EXPECT_FALSE(read_run(folder_ / "learning/98_sample/run.json").is_changed());
  const RunRecord last = read_run(folder_ / "learning/98_sample.changed/run.json");
  EXPECT_TRUE(last.is_changed());
  EXPECT_EQ(last.settings[0].value + " " + last.settings[0].default_value, "2.0 0.5");
}

TEST_F(RunTest, AFolderThatCannotBeWrittenIsNoticedBeforeTheComputation) {
  write("file", "");
  fs::create_directories(folder_ / "folder/run.json");
  const std::pair<const char*, const char*> wrong[] = {
      {"--out ''", "--out: the name of a folder is expected"},
      {"--out file", "'file' is a file; the run needs a folder of that name"},
      {"--out file/deep", "'file' is a file; the run needs a folder of that name"},
      {"--out /proc/none", "cannot make the folder '/proc/none': "},
      {"--out folder --overwrite", "cannot write 'folder/run.json': the name of a file is expected"}};
  for (const auto& [words, message] : wrong) {
    const Outcome outcome = sample(words);
    EXPECT_EQ(outcome.status, 1) << words;
    EXPECT_TRUE(outcome.output.starts_with(std::string("lesson 98: ") + message)) << outcome.output;
    EXPECT_EQ(count(outcome.output, "\n"), 1) << outcome.output;
  }
  write("learning", "");
  EXPECT_EQ(sample("").output, "lesson 98: 'learning' is a file; the course needs a folder of that name\n");
}

TEST_F(RunTest, AClaimThatSettingsBreakIsPartOfTheAnswer) {
  const Outcome changed = sample("rate=2");
  EXPECT_EQ(changed.status, 0) << changed.output;
  EXPECT_HAS(changed.output, "  ✗ the last value is small: 8 < 0.2\n");
  EXPECT_HAS(changed.output, "1 of 3 claims hold");
  const Outcome same = sample("rate=0.5");
  EXPECT_EQ(same.status, 0) << same.output;
}

TEST_F(RunTest, MistakesOnTheCommandLineAreNamed) {
  const std::pair<const char*, const char*> wrong[] = {
      {"rat=1", "there is no setting rat; did you mean 'rate'?"},
      {"steps=0", "steps"},
      {"--steps=2", "there is no option --steps"},
      {"twice=true", "lesson 98: the lesson records 'values' twice"}};
  for (const auto& [words, message] : wrong) {
    const Outcome outcome = sample(words);
    EXPECT_NE(outcome.status, 0) << words;
    EXPECT_HAS(outcome.output, message);
  }
}

TEST_F(RunTest, TheRecordKeepsEveryBit) {
  ASSERT_EQ(sample("").status, 0);
  const RunRecord run = read_run(folder_ / "learning/98_sample/run.json");
  EXPECT_EQ(run.lesson, "98_sample");
  ASSERT_EQ(run.settings.size(), 3U);
  EXPECT_EQ(run.settings[0].key + "=" + run.settings[0].value + ": " + run.settings[0].meaning,
            "rate=0.5: factor of each step");
  ASSERT_EQ(run.recorded.size(), 4U);
  EXPECT_EQ(run.recorded[0].numbers, (std::vector<double>{1, 0.5, 0.25, 0.125}));
  EXPECT_EQ(run.recorded[1].shape, (std::vector<std::int64_t>{2, 3}));
  const std::vector<double>& special = run.recorded[2].numbers;
  ASSERT_EQ(special.size(), 4U);
  EXPECT_TRUE(std::isnan(special[0]));
  EXPECT_EQ(special[1], std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::signbit(special[2]));
  EXPECT_EQ(std::bit_cast<std::uint64_t>(special[3]), std::bit_cast<std::uint64_t>(0.1));
  EXPECT_EQ(run.recorded[3].words, (std::vector<std::string>{"a", "shrinks"}));
  write_run(folder_ / "again.json", run);
  EXPECT_EQ(text("again.json"), text("learning/98_sample/run.json"));
}

TEST_F(RunTest, DiffNamesTheSettingTheClaimAndTheFirstNumber) {
  for (const char* words : {"--out a", "--out b rate=0.25", "--out c steps=4", "--out d rate=2"})
    ASSERT_EQ(sample(words).status, 0) << words;
  EXPECT_EQ(difference("a", "a/run.json"), "all 14 numbers are the same bits\n");
  EXPECT_EQ(
      difference("a", "b"),
      "setting rate: 0.5 and 0.25\n"
      "claim: ✓ half of the first: 0.5, expected 0.5 ± 0.1, and ✗ half of the first: 0.25, expected 0.5 ± 0.1\n"
      "first different number: values[1] = 0.5 and 0.25, relative difference 0.25\n"
      "4 of 14 numbers differ; the largest relative difference, 0.25 of the largest number of its record, "
      "is at values[1]\n");
  EXPECT_HAS(difference("a", "c"), "setting steps: 3 and 4\nvalues: shape [4] and [5]\n");
  const std::string other_word = difference("a", "d");
  EXPECT_HAS(other_word,
             "claim: ✓ the last value is small: 0.125 < 0.2, and ✗ the last value is small: 8 < 0.2\n");
  EXPECT_HAS(other_word, "0.984 of the largest number of its record, is at values[3]\n");
}

TEST(FirstDifference, WordsNamesAndRecordsAreCompared) {
  const RunRecord a{"01_a", {}, {}, {{"w", {1}, {}, {"x"}}, {"m", {2, 2}, {1, 2, 3, 4}, {}}}, {}};
  RunRecord b = a;
  EXPECT_EQ(first_difference(a, b), "all 4 numbers are the same bits\n");
  b.recorded[1].numbers[2] = -3;
  EXPECT_EQ(
      first_difference(a, b),
      "first different number: m[1, 0] = 3 and -3, relative difference 1.5\n"
      "1 of 4 numbers differ; the largest relative difference, 1.5 of the largest number of its record, is "
      "at m[1, 0]\n");
  b = a;
  b.recorded[1].numbers[0] = 1 + 1e-9;
  b.recorded.push_back({"zeros", {2}, {1e-17, 0}, {}});
  RunRecord c = a;
  c.recorded.push_back({"zeros", {2}, {-2e-17, 1}, {}});
  EXPECT_EQ(
      first_difference(b, c),
      "first different number: m[0, 0] = 1.0000000010000001 and 1, relative difference 2.5e-10\n"
      "3 of 6 numbers differ; the largest relative difference, 1 of the largest number of its record, is at "
      "zeros[1]\n")
      << "rounding around zero is small";
  b = a;
  b.recorded[1].numbers[0] = std::nan("");
  EXPECT_EQ(first_difference(a, b), "first different number: m[0, 0] = 1 and nan\n1 of 4 numbers differ\n");
  b = a;
  b.recorded[0].words[0] = "y";
  EXPECT_EQ(first_difference(a, b), "w: 'x' and 'y'\n");
  b = a;
  b.recorded[0].name = "v";
  EXPECT_EQ(first_difference(a, b), "one run recorded w where the other recorded v\n");
  b = a;
  b.recorded.pop_back();
  EXPECT_EQ(first_difference(a, b), "2 and 1 records\n");
  b.lesson = "02_b";
  EXPECT_THROW(first_difference(a, b), Error);
}

TEST_F(RunTest, FilesThatAreNoRunsAreNamed) {
  ASSERT_EQ(sample("--out a").status, 0);
  write("b/run.json", "{}");
  write("c/run.json", text("a/run.json").substr(0, 100));
  for (const char* other : {"b", "c", "d"}) {
    const Outcome diff = learn(std::string("diff a ") + other);
    EXPECT_EQ(diff.status, 1);
    EXPECT_HAS(diff.output, std::string("learn: "));
    EXPECT_HAS(diff.output, std::string("'") + other);
    EXPECT_EQ(count(diff.output, "\n"), 1);
  }
  EXPECT_HAS(learn("diff none1 none2").output, "learn: cannot read 'none1'");
}

}  // namespace
}  // namespace umbra::learn
