// reproduce on a small mock: every part runs once, a second call redoes nothing, an interrupted one continues, and the
// report holds what the parts measured.
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "engine/io/atomic_file.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

class ReproduceTool : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    ASSERT_EQ(run("mock --out " + path("mock.h5") + " --box-size 75 --seed 3").status, 0);
    first() = run(command("out"));
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_reproduce_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string words(const std::string& out, const std::string& epochs) {
    return " --data " + path("mock.h5") + " --out " + path(out) +
           " --seeds 2 --channels 1,2 --trees 3 --no-figures --rows " + kRows + " --epochs " + epochs;
  }
  static constexpr const char* kRows = "paper,um_resnet,um_resnet2d-plain";
  static std::string command(const std::string& out, const std::string& epochs = "1") {
    return "env OMP_NUM_THREADS=1 reproduce" + words(out, epochs);
  }
  static Outcome& first() {
    static Outcome outcome;
    return outcome;
  }
  static json parts(const std::string& out) { return json::parse(bytes(path(out + "/parts.json")))["parts"]; }
  static void expect_words(const std::string& text, const std::vector<std::string>& words) {
    for (const std::string& word : words)
      EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }
};

TEST_F(ReproduceTool, EveryPartRunsAndIsRecorded) {
  ASSERT_EQ(first().status, 0) << first().output;
  expect_words(first().output, {"um_resnet C=2, the paper's recipe", "left 0:00", "report.md"});
  for (const json& part : parts("out")) {
    EXPECT_EQ(part["state"], "finished") << part;
    EXPECT_TRUE(fs::exists(path("out/logs/" + part["name"].get<std::string>() + ".log"))) << part;
    EXPECT_TRUE(part["command"] == "" || part["peak_memory_bytes"] > 1'000'000) << part;
  }
  for (const char* file : {"evaluation.json", "table.json", "search-linear.json", "halos-log10.h5",
                           "importance-2.json", "predictions.h5", "runs/paper-1/seed-2/best.h5"})
    EXPECT_TRUE(fs::exists(path(std::string("out/") + file))) << file;
}

TEST_F(ReproduceTool, ASecondCallRedoesNothing) {
  const std::string before = bytes(path("out/parts.json"));
  const Outcome again = run(command("out"));
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_EQ(again.output.find("[1/"), std::string::npos) << again.output;
  EXPECT_EQ(bytes(path("out/parts.json")), before);
}

TEST_F(ReproduceTool, TheCommandsOfTheReportAreThoseOfADryRun) {
  const Outcome dry = run(command("out") + " --dry-run");
  EXPECT_EQ(dry.status, 0) << dry.output;
  const std::string report = bytes(path("out/report.md"));
  std::int64_t commands = 0;
  for (const json& part : parts("out")) {
    if (part["command"] == "") continue;
    expect_words(dry.output, {part["command"].get<std::string>() + "\n"});
    expect_words(report, {part["command"].get<std::string>() + "\n"});
    ++commands;
  }
  EXPECT_GT(commands, 12);
}

// Networks are those of their last epoch; the best ones are a column.
TEST_F(ReproduceTool, NothingInTheTableWasChosenOnTheValidationBoxes) {
  EXPECT_EQ(json::parse(bytes(path("out/evaluation.json")))["epoch"], "last");
  const json best = json::parse(bytes(path("out/best_epochs.json")));
  EXPECT_EQ(best["epoch"], "best");
  for (const json& row : json::parse(bytes(path("out/table.json")))["rows"])
    EXPECT_EQ(row["kind"] == "network", row.contains("chi2_of_best_epoch")) << row;
}

TEST_F(ReproduceTool, RowsAreAddedWithoutOverwriteAndTheFolderMayMove) {
  const auto with = [&](const std::string& chosen) {
    return "env OMP_NUM_THREADS=1 reproduce --data " + path("mock.h5") + " --out " + path("more") +
           " --seeds 1 --channels 1 --trees 3 --no-figures --epochs 1 --rows " + chosen;
  };
  const Outcome less = run(with("paper"));
  ASSERT_EQ(less.status, 0) << less.output;
  const Outcome more = run(with("paper,um_resnet"));
  EXPECT_EQ(more.status, 0) << more.output;
  EXPECT_EQ(more.output.find("the paper's recipe\n"), std::string::npos) << more.output;
  const std::string report = bytes(path("more/report.md"));
  expect_words(report, {"With our recipe the order", "forest, mean prediction per voxel, of M*"});
  const json before = parts("more");
  fs::rename(path("more"), path("moved"));
  const Outcome moved =
      run("env OMP_NUM_THREADS=1 reproduce --data " + path("mock.h5") + " --out " + path("moved") +
          " --seeds 1 --channels 1 --trees 3 --no-figures --epochs 1 --rows paper,um_resnet");
  EXPECT_EQ(moved.output.find("[1/"), std::string::npos) << moved.output;
  const json after = parts("moved");
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i)  // a part that is redone takes another time
    EXPECT_EQ(after[i]["seconds"], before[i]["seconds"]) << before[i]["name"];
  expect_words(bytes(path("moved/report.md")),
               {"With our recipe the order", "forest, mean prediction per voxel, of M*"});
}

// The mean over two seeds and boxes, and a paired difference, from the evaluation itself.
TEST_F(ReproduceTool, TheTableHoldsTheMeansOfTheSeedsAndPairedDifferences) {
  const json evaluation = json::parse(bytes(path("out/evaluation.json")));
  const json table = json::parse(bytes(path("out/table.json")));
  const auto named = [](const json& rows, const std::string& key, const std::string& value) {
    for (const json& row : rows)
      if (row.value(key, "") == value) return row;
    ADD_FAILURE() << "no row with " << key << " = " << value;
    return json();
  };
  const json model = named(evaluation["models"], "run", path("out/runs/um_resnet-2"));
  const json row = named(table["rows"], "name", "um_resnet C=2, our recipe");
  const json reference = named(evaluation["models"], "name", table["reference"]);
  EXPECT_NEAR(row["chi2"]["mean"].get<double>(), model["seeds"]["chi2"]["mean"].get<double>(), 1e-6);
  EXPECT_NEAR(row["seeds"]["chi2"]["scatter"].get<double>(), model["seeds"]["chi2"]["scatter"].get<double>(),
              1e-6);
  EXPECT_NEAR(row["minus_reference"]["chi2"]["mean"].get<double>(),
              row["chi2"]["mean"].get<double>() - reference["chi2"]["mean"].get<double>(), 1e-6);
  const json forest = named(table["rows"], "name", "forest, mean prediction per voxel, of M*");
  double mean = 0;
  for (const std::string seed : {"1", "2"})
    mean += named(evaluation["models"], "name",
                  "forest, mean prediction per voxel (" + path("out/forest-linear-" + seed + ".h5") +
                      ")")["chi2"]["mean"]
                .get<double>() /
            2;
  EXPECT_NEAR(forest["chi2"]["mean"].get<double>(), mean, 1e-6);
  EXPECT_EQ(forest["kind"], "forest");
}

TEST_F(ReproduceTool, TheReportNamesTheWinnerTheOrderAndEveryDifference) {
  const std::string report = bytes(path("out/report.md"));
  expect_words(report, {"## Who wins", "is beaten by", "## Table 1", "| 272 |",
                        "With the paper's recipe the order of", "## The floor", "distribution per halo",
                        "drop_last", "divided by the 14 bins", "footnote 3", "2.4·10⁵", "peak memory"});
  expect_words(report, {"| um_resnet2d plain C=10, our recipe | ", "a network that is the best of 5 looks"});
  expect_words(report, {"| oracle | ", "E[φ | true halo Vpeak]", "above it"});
  if (run("pandoc --version").status == 0) {
    const std::string html = bytes(path("out/report.html"));
    expect_words(html, {"<table>", "border-collapse", "Nadler &amp; To (2018), reproduced"});
  }
}

TEST_F(ReproduceTool, AnInterruptedTrainingContinues) {
  const std::string run_of_paper = path("stopped/runs/paper-1"), last = run_of_paper + "/seed-2/last.h5";
  const Outcome stopped = run("{ " + command("stopped", "5000") + " & tool=$!; for i in {1..3000}; do [ -f " +
                              last + " ] && break; sleep 0.02; done; kill -TERM $tool; wait $tool; }");
  EXPECT_EQ(stopped.status, 143) << stopped.output;
  expect_words(stopped.output, {"stopped by a signal in the part paper-1; the same command continues"});
  EXPECT_EQ(parts("stopped")[0]["state"], "stopped");
  expect_words(bytes(path("stopped/logs/paper-1.log")), {"stopped by a signal after step"});
  const Outcome more = testing_tools::run_and_signal(command("stopped", "5000"), "--resume", "TERM");
  expect_words(more.output, {"--out " + run_of_paper + " --resume\n"});
  EXPECT_EQ(more.status, 143) << more.output;
}

TEST_F(ReproduceTool, WrongInputIsExplained) {
  const auto error_of = [](const std::string& words) {
    const Outcome outcome = run("reproduce " + words);
    EXPECT_NE(outcome.status, 0) << outcome.output;
    EXPECT_EQ(testing_tools::line_count(outcome.output), 1) << outcome.output;
    return outcome.output;
  };
  expect_words(error_of("--data " + path("none.h5") + " --out " + path("new")),
               {path("none.h5"), "no such file"});
  expect_words(error_of("--data " + path("mock.h5") + " --out " + folder().string()), {"holds other files"});
  expect_words(error_of(words("out", "2")), {"its part paper-1 was made by", "--overwrite"});
  expect_words(error_of("--data " + path("mock.h5") + " --out " + path("new") + " --channels 0"),
               {"--channels"});
  expect_words(error_of("--data " + path("mock.h5") + " --out " + path("new") + " --rows resnet"),
               {"--rows resnet: there is no such row, only paper, paper-log, um_resnet"});
  expect_words(error_of("--camels " + path("boxes") + " --out " + path("new") + " --trees 3"), {"--trees"});
  write_text_file(path("text.h5"), "not HDF5");
  const Outcome outcome = run("reproduce --data " + path("text.h5") + " --out " + path("text"));
  EXPECT_EQ(outcome.status, 1);
  expect_words(outcome.output, {"the part choose-um_dense-0 failed: exit status 1", path("text.h5"),
                                "text/logs/choose-um_dense-0.log"});
}

}  // namespace
}  // namespace umbra
