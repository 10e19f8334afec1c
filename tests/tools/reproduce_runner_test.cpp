// The runner of parts: what is finished is not redone, what was interrupted continues, what is not ours stays.
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "data/catalogs/catalog.h"
#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "tests/fixtures/run_tool.h"
#include "tools/reproduce/paper.h"
#include "tools/reproduce/runner.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;

// Parts that are shell commands; every run of one adds its name to the file `runs`.
class ReproduceRunner : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write_text_file(path("data"), "1");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string out(const std::string& name) const { return path("out/" + name); }
  // Writes "<text> <content of the inputs>" into an output. `sh` sees further words, such as --overwrite, as $1.
  Part part(const std::string& name, const std::vector<std::string>& inputs, const std::string& text,
            const std::string& first = "") const {
    Part part{name, "the part " + name};
    std::string script = first + "echo " + name + "$1 >> " + path("runs") + "; (echo " + text + "; cat";
    for (const std::string& input : inputs) script += " " + input;
    part.command = {"sh", "-c", script + " /dev/null) > " + out(name), "sh"};
    part.inputs = inputs;
    part.outputs = {out(name)};
    return part;
  }
  std::vector<Part> two(const std::string& text = "text") const {
    return {part("a", {path("data")}, text), part("b", {out("a")}, "last")};
  }
  Places places() const { return {"", "", path("out")}; }
  void run(const std::vector<Part>& parts, bool overwrite = false) const {
    Runner(places(), parts, overwrite).run();
  }
  std::string runs() const { return bytes(path("runs")); }
  std::string error_of(const std::vector<Part>& parts) const {
    try {
      run(parts);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  static void expect_words(const std::string& text, const std::vector<std::string>& words) {
    for (const std::string& word : words)
      EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }

  fs::path folder_ = fs::path(testing::TempDir()) / ("umbra_runner_" + std::to_string(getpid()));
};

TEST_F(ReproduceRunner, FinishedPartsAreNotRedone) {
  run(two());
  EXPECT_EQ(runs(), "a\nb\n");
  EXPECT_EQ(bytes(out("b")), "last\ntext\n1");
  run(two());
  EXPECT_EQ(runs(), "a\nb\n");
  const Runner runner(places(), two(), false);
  EXPECT_EQ(runner.record("a")->state, PartState::kFinished);
  EXPECT_GT(runner.record("a")->peak_memory, 100'000);
  EXPECT_GT(runner.record("a")->seconds, 0);
  expect_words(runner.list(), {"# 1/2 a: the part a, finished", "sh -c"});
}

TEST_F(ReproduceRunner, ALostOutputIsMadeAgainAndWhatReadsItOnlyIfItDiffers) {
  run(two());
  fs::remove(out("a"));
  run(two());
  EXPECT_EQ(runs(), "a\nb\na\n");
  write_text_file(out("a"), "edited");
  run(two());
  EXPECT_EQ(runs(), "a\nb\na\nb--overwrite\n");
}

TEST_F(ReproduceRunner, OtherCommandsAndOtherDataNeedOverwrite) {
  run(two());
  expect_words(error_of(two("other")), {path("out"), "part a was made by", "text", "other", "--overwrite"});
  write_text_file(path("data"), "2");
  expect_words(error_of(two()), {"part a was made from other data than", path("data"), "--overwrite"});
  EXPECT_EQ(runs(), "a\nb\n");
  run(two("other"), true);
  EXPECT_EQ(runs(), "a\nb\na--overwrite\nb--overwrite\n");
  EXPECT_EQ(bytes(out("b")), "last\nother\n2");
}

TEST_F(ReproduceRunner, TheFolderMayMoveAndTheDataMayBeCalledDifferently) {
  const auto copy = [&](const std::string& data, const std::string& folder, const std::string& program) {
    Part part{"a", "a copy"};
    part.command = {program, path(data), path(folder + "/a")};
    part.inputs = {path(data)};
    part.outputs = {path(folder + "/a")};
    return part;
  };
  Runner({"", "", path("out")}, {copy("data", "out", "cp")}, false).run();
  fs::rename(path("out"), path("moved"));
  fs::rename(path("data"), path("renamed"));
  const std::vector<Part> moved{copy("renamed", "moved", "/umbra-no-such-folder/cp")};
  EXPECT_NO_THROW(Runner({"", "", path("moved")}, moved, false).run());
}

TEST_F(ReproduceRunner, AFailureNamesPartReasonAndLog) {
  std::vector<Part> parts = two();
  parts[0] = part("a", {path("data")}, "text", "echo why >&2; exit 3; ");
  expect_words(error_of(parts), {"the part a failed: exit status 3, 'why'", out("logs/a.log")});
  expect_words(bytes(out("logs/a.log")), {"$ sh -c", "why\n"});
  parts[0].command = {"true"};
  expect_words(error_of(parts), {"the part a failed: it has made no " + out("a")});
  parts[0].command = {"umbra-no-such-program"};
  expect_words(error_of(parts), {"the part a failed: exit status 127, 'cannot start umbra-no-such-program"});
  run(two());  // nothing had been made, so nothing is replaced
  EXPECT_EQ(runs(), "a\nb\n");
}

TEST_F(ReproduceRunner, OptionalPartsMayFailWithWhatNeedsThem) {
  std::vector<Part> parts = two();
  parts[0].command = {"false"};
  parts[0].optional = true;
  parts.push_back(part("c", {path("data")}, "c"));
  Runner runner(places(), parts, false);
  runner.run();
  EXPECT_EQ(runs(), "c\n");
  ASSERT_EQ(runner.lost().size(), 2u);
  expect_words(runner.lost()[0], {"the part a failed"});
  expect_words(runner.lost()[1], {"the part b was left out: there is no " + out("a")});
}

TEST_F(ReproduceRunner, AnInterruptedPartContinuesFromItsOwnCheckpointOnly) {
  std::vector<Part> parts{part("a", {path("data")}, "text", "echo 1 > " + out("checkpoint") + "; exit 1; ")};
  parts[0].resumes_from = out("checkpoint");
  parts[0].resume = {"sh", "-c", "echo resumed >> " + path("runs") + "; echo 2 > " + out("a")};
  EXPECT_NE(error_of(parts), "");
  run(parts);
  EXPECT_EQ(runs(), "resumed\n");
  // A checkpoint that was there before another command began is not one of that command.
  parts[0].command[2] = "exit 1";
  EXPECT_THROW(run(parts, true), Error);
  fs::remove(out("a"));
  parts[0].command = part("a", {path("data")}, "text").command;
  run(parts, true);
  EXPECT_EQ(runs(), "resumed\na--overwrite\n");
}

// A training that is killed while it writes its first files leaves a folder without any output.
TEST_F(ReproduceRunner, APartThatWasKilledEarlyReplacesWhatItHasLeft) {
  std::vector<Part> parts{part("a", {path("data")}, "text", "mkdir " + out("folder") + "; exit 1; ")};
  parts[0].folder = out("folder");
  EXPECT_NE(error_of(parts), "");
  parts[0].command[2] = part("a", {path("data")}, "text").command[2];
  run(parts);
  EXPECT_EQ(runs(), "a--overwrite\n");
}

TEST_F(ReproduceRunner, ACheckpointOfOtherInputsIsNotContinued) {
  std::vector<Part> parts = two();
  parts[1] = part("b", {out("a")}, "last",
                  "echo 1 > " + out("checkpoint") + "; [ -f " + path("well") + " ] || exit 1; ");
  parts[1].resumes_from = out("checkpoint");
  parts[1].resume = {"sh", "-c", "echo resumed >> " + path("runs") + "; echo 2 > " + out("b")};
  EXPECT_NE(error_of(parts), "");
  write_text_file(out("a"), "edited");
  write_text_file(path("well"), "");
  run(parts);
  EXPECT_EQ(runs(), "a\nb--overwrite\n");
}

TEST_F(ReproduceRunner, ADerivedPartIsRedoneWhenItsCommandChanges) {
  run(two());
  std::vector<Part> parts = two();
  parts[1] = part("b", {out("a")}, "other");
  expect_words(error_of(parts), {"part b was made by"});
  parts[1].derived = true;
  run(parts);
  EXPECT_EQ(runs(), "a\nb\nb--overwrite\n");
  EXPECT_EQ(bytes(out("b")), "other\ntext\n1");
}

TEST_F(ReproduceRunner, TheTimeLeftCountsWhatFollows) {
  std::vector<Part> parts = two();
  parts[0].seconds = 100;
  parts[1].seconds = 20;
  Runner runner(places(), parts, false);
  EXPECT_EQ(runner.seconds_left(), 120);
  testing::internal::CaptureStdout();
  runner.run(3600);
  expect_words(testing::internal::GetCapturedStdout(), {"left 5:", "left 4:"});
  EXPECT_EQ(Runner(places(), parts, false).seconds_left(), 0);
}

// The fingerprint of a large catalog takes seconds, in which the program may be killed.
TEST_F(ReproduceRunner, AFolderIsThatOfAReproductionBeforeInputsAreRead) {
  fs::create_directories(path("folder"));
  expect_words(error_of({part("a", {path("folder")}, "text")}), {path("folder"), "a file was expected"});
  EXPECT_TRUE(fs::exists(out("parts.json")));
}

TEST_F(ReproduceRunner, FoldersOfOthersAndDamagedRecordsAreRefused) {
  fs::create_directories(path("out"));
  write_text_file(out("thesis.txt"), "mine");
  expect_words(error_of(two()), {path("out"), "holds other files", "choose another folder"});
  write_text_file(out("parts.json"), "{}");
  expect_words(error_of(two()), {out("parts.json"), "the parts.json of a reproduction is expected"});
  write_text_file(out("parts.json"), R"({"format_version": 99, "parts": []})");
  expect_words(error_of(two()), {out("parts.json"), "format version 99"});
  EXPECT_EQ(bytes(path("runs")), "");
}

TEST_F(ReproduceRunner, PartsMustBeInOrderAndTheirFilesThere) {
  std::vector<Part> parts = two();
  std::swap(parts[0], parts[1]);
  expect_words(error_of(parts), {"the part b reads " + out("a"), "only a later part makes"});
  fs::remove(path("data"));
  expect_words(error_of(two()), {path("data"), "there is no such file"});
  EXPECT_FALSE(fs::exists(path("out")));
}

// The settings of a row that has choices are those of the network with the lowest chi^2 on inner validation boxes.
TEST_F(ReproduceRunner, SettingsAreChosenInsideTheTrainingBoxes) {
  const Places in_out{"tools", UMBRA_SOURCE_DIR, path("out")};
  PaperOptions options;
  options.data = path("data");
  options.rows = {"um_resnet", "um_dense"};
  options.channels = {4};
  options.seeds = 1;
  options.figures = false;
  const PaperPlan first = paper_plan(options, in_out, nullptr);
  ASSERT_EQ(first.choices.size(), 1U);
  const PaperChoice& choice = first.choices.front();
  ASSERT_EQ(first.parts.size(), choice.settings.size() + 1);
  for (std::size_t c = 0; c < choice.settings.size(); ++c)
    expect_words(shell_line(first.parts[c].command),
                 {choice.settings[c], "data.inner_folds=5", "model.name=um_dense"});
  expect_words(shell_line(first.parts.back().command),
               {"evaluate", "--epoch last", out("choices/um_dense-0 ")});
  EXPECT_EQ(chosen_settings(first.choices, true).at("um_dense"), choice.settings.front());
  EXPECT_THROW(chosen_settings(first.choices), Error);

  fs::create_directories(out("choices"));
  const auto write_scores = [&](std::vector<double> scores) {
    nlohmann::json json;
    json["models"][0] = {{"name", "mean SMF"}, {"chi2", {{"mean", 1.0}}}};
    for (std::size_t i = 0; i < scores.size(); ++i)
      json["models"][i + 1] = {{"run", "r"}, {"chi2", {{"mean", scores[i]}}}};
    write_text_file(choice.file, json.dump());
  };
  write_scores({46, 44, 45});
  const PaperChosen chosen = chosen_settings(first.choices);
  EXPECT_EQ(chosen.at("um_dense"), choice.settings[1]);
  const PaperPlan plan = paper_plan(options, in_out, &chosen);
  ASSERT_EQ(plan.networks.size(), 2U);
  EXPECT_EQ(plan.networks[1].title, "um_dense, our recipe, learning rate 0.001");
  for (const Part& part : plan.parts) {
    const std::string command = shell_line(part.command);
    if (part.name == "um_dense") expect_words(command, {choice.settings[1]});
    if (part.name.starts_with("choose-")) continue;
    EXPECT_EQ(command.find("inner_folds"), std::string::npos) << command;
    EXPECT_EQ(command.find("choices/"), std::string::npos) << command;
    for (const std::string& input : part.inputs)
      EXPECT_EQ(input.find("choices/"), std::string::npos) << input;
  }
  write_scores({46, 44});
  EXPECT_THROW(chosen_settings(first.choices), Error);
}

// A catalog of 27 sub-boxes takes less time than one of 1,000.
TEST_F(ReproduceRunner, EstimatesGrowWithTheCatalog) {
  PaperOptions options;
  options.epochs = 2;
  options.seeds = 1;
  options.trees = {5};
  options.channels = {2};
  const Places in_out{"tools", UMBRA_SOURCE_DIR, path("out")};
  const auto estimate = [&](double side) {
    Catalog catalog;
    catalog.box_size = side;
    for (const char* name : {"x", "y", "z", "vpeak"}) catalog.columns[name] = {60};
    const std::string file = path("of.h5");
    write_catalog(file, catalog);
    options.data = file;
    const PaperChosen chosen = chosen_settings(paper_plan(options, in_out, nullptr).choices, true);
    double seconds = 0;
    for (const Part& part : paper_plan(options, in_out, &chosen).parts) seconds += part.seconds;
    return seconds;
  };
  const double few = estimate(75), many = estimate(250);
  EXPECT_GT(few, 10);
  EXPECT_LT(few, 25);
  EXPECT_GT(many, few + 5);
}

}  // namespace
}  // namespace umbra
