// plot.py: every command makes a PNG and a PDF from small files, identical each time; numbers and names in figures; the
// Python that draws them.
#include "tests/fixtures/plot_files.h"

namespace umbra {
namespace {

using namespace testing_plot;

TEST_F(PlotTest, DrawsTheMassFunctionsTheSameEachTime) {
  write("evaluation.json", evaluation().dump());
  expect_figure("smf --evaluation evaluation.json", "smf");
  const std::string png = contents(at("smf.png")), pdf = contents(at("smf.pdf"));
  EXPECT_EQ(plot_from_shell("smf --evaluation evaluation.json --out smf --overwrite"), 0) << complaint_;
  EXPECT_EQ(contents(at("smf.png")), png);
  EXPECT_EQ(contents(at("smf.pdf")), pdf);
}

// Files of older releases have neither observed densities nor the scatter of residuals.
TEST_F(PlotTest, DrawsTheMassFunctionsOfAnOlderEvaluation) {
  write("new.json", evaluation().dump());
  Json older = evaluation();
  for (const char* field : {"h", "subbox_size_mpc_per_h", "observed_smf"}) older.erase(field);
  for (Json& model : older["models"]) model.erase("residual_standard_deviation");
  write("old.json", older.dump());
  expect_figure("smf --evaluation new.json", "new");
  expect_figure("smf --evaluation old.json", "old");
  EXPECT_NE(contents(at("new.png")), contents(at("old.png")));
}

TEST_F(PlotTest, DrawsTheLossOfFinishedAndRunningTrainings) {
  fs::create_directories(folder_ / "a");
  write("a/metrics.csv", metrics(5, 3));
  write("b.csv", metrics(3, 9) + "4,13,tra");  // an incomplete line
  expect_figure("loss --run a", "one");
  expect_figure("loss --run a b.csv", "two");
  EXPECT_NE(contents(at("one.png")), contents(at("two.png")));
  write("b.csv", metrics(3, 9));
  expect_figure("loss --run a b.csv", "complete");
  EXPECT_EQ(contents(at("complete.png")), contents(at("two.png")));
}

TEST_F(PlotTest, DrawsTheBaselinesOfARunThatHasThem) {
  fs::create_directories(folder_ / "ensemble/seed-1");
  write("ensemble/seed-1/metrics.csv", metrics(5, 3));
  expect_figure("loss --run ensemble", "without");
  const Json baselines = {{{"name", "mean SMF"}, {"value", 300.0}}, {{"name", "other"}, {"value", 150.0}}};
  write("ensemble/seed-1/baselines.json", Json{{"metric", "chi2"}, {"baselines", baselines}}.dump());
  expect_figure("loss --run ensemble", "with");
  EXPECT_NE(contents(at("with.png")), contents(at("without.png")));
}

TEST_F(PlotTest, DrawsTheInputOfTheSubBoxThatIsAskedFor) {
  write_catalog(at("catalog.h5"), catalog());
  expect_figure("slice --data catalog.h5", "first");
  expect_figure("slice --data catalog.h5 --box 12 --voxels 10 --depth 2 --min-vpeak 200", "last");
  expect_figure("slice --data catalog.h5 --subbox-size 50 --depth 25", "whole");
  EXPECT_NE(contents(at("first.png")), contents(at("last.png")));
  expect_sentence("slice --data catalog.h5 --subbox-size 50", {"catalog.h5", "in its middle"});
  expect_sentence("slice --data catalog.h5 --box 4", {"catalog.h5", "sub-box 4"});
  expect_sentence("slice --data catalog.h5 --box 9", {"catalog.h5", "sub-box 9"});
}

TEST_F(PlotTest, DrawsPredictionsOfTheValidationBoxesAlone) {
  write_predictions(at("marked.h5"), 30, 3, 10);
  write_predictions(at("all.h5"), 30, 3, -1);
  expect_figure("predictions --predictions marked.h5", "marked");
  expect_figure("predictions --predictions all.h5", "all");
  EXPECT_NE(contents(at("marked.png")), contents(at("all.png")));
  write_predictions(at("other.h5"), 30, 3, 10, 1e-2F);  // only boxes that are not drawn differ
  expect_figure("predictions --predictions other.h5", "other");
  EXPECT_EQ(contents(at("marked.png")), contents(at("other.png")));
  write_catalog(at("catalog.h5"), catalog());
  expect_sentence("front --data catalog.h5 --predictions marked.h5", {"marked.h5", "of another catalog"});
}

TEST_F(PlotTest, DrawsTablesDifferencesAndSingleBoxes) {
  write("evaluation.json", evaluation().dump());
  expect_figure("table --evaluation evaluation.json", "table");
  expect_figure("changes --evaluation evaluation.json --models r1 r2", "changes");
  write_predictions(at("p.h5"), 30, 3, 10);
  expect_figure("boxes --predictions p.h5 --box 4 29", "boxes");
}

TEST_F(PlotTest, DrawsHalosThatTheForestWasNotFittedOnAlone) {
  write_halos(at("marked.h5"), 900, 300);
  write_halos(at("all.h5"), 900, -1);
  expect_figure("halos --predictions marked.h5", "marked");
  expect_figure("halos --predictions all.h5", "all");
  EXPECT_NE(contents(at("marked.png")), contents(at("all.png")));
  write_halos(at("other.h5"), 900, 300, 1);  // only halos that are not drawn differ
  expect_figure("halos --predictions other.h5", "other");
  EXPECT_EQ(contents(at("marked.png")), contents(at("other.png")));
}

TEST_F(PlotTest, DrawsImportances) {
  write("i.json", importance().dump());
  expect_figure("importance --importance i.json", "all");
  Json few = importance();  // of a forest whose trees saw all rows
  for (const char* measure : {"unbiased_decrease", "permutation", "permutation_of_groups"})
    few.erase(measure);
  write("few.json", few.dump());
  EXPECT_EQ(plot("importance --importance few.json --out few"), 0) << complaint_;
  EXPECT_LT(fs::file_size(at("few.png")), fs::file_size(at("all.png")));
}

// The stand-in for the user's python3 records its arguments and runs a Python that has the packages; -S hides them from
// the Python that the command is started with.
TEST_F(PlotTest, ContinuesInAPythonThatHasThePackages) {
  write("evaluation.json", evaluation().dump());
  fs::create_directories(folder_ / "bin");
  write("bin/python3",
        concat("#!/bin/sh\necho \"$*\" >>'", at("used"), "'\nexec ", path_of_python(), " \"$@\"\n"));
  fs::permissions(at("bin/python3"), fs::perms::owner_all);
  EXPECT_EQ(plot_from_shell("smf --evaluation evaluation.json --out 'a figure'",
                            "env -u VIRTUAL_ENV PATH='" + at("bin") + "':$PATH", path_of_python() + " -S"),
            0)
      << complaint_;
  EXPECT_GT(fs::file_size(at("a figure.png")), 15000U);
  const std::string used = contents(at("used"));
  EXPECT_NE(used.find("import matplotlib"), std::string::npos) << used;
  EXPECT_NE(used.find("plot.py smf --evaluation evaluation.json --out a figure"), std::string::npos) << used;
}

TEST_F(PlotTest, NumbersAndNamesInFiguresAreThoseOfTheFiles) {
  const std::string command =
      concat(python(), " '" UMBRA_SOURCE_DIR "/tests/tools/figures_test.py' >'", at("said"), "' 2>&1");
  EXPECT_EQ(std::system(command.c_str()), 0) << contents(at("said"));
}

TEST_F(PlotTest, FiguresAreFitForPrint) {
  const std::string command =
      concat(python(), " '" UMBRA_SOURCE_DIR "/tests/tools/figures_layout_test.py' >'", at("said"), "' 2>&1");
  EXPECT_EQ(std::system(command.c_str()), 0) << contents(at("said"));
}

}  // namespace
}  // namespace umbra
