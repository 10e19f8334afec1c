// plot.py: every command makes a PNG and a PDF from small files, identical each time, and every kind of bad
// input ends in an error message of one line, exit status 1 and no file.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "data/catalogs/catalog.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"
#include "test_paths.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// A Python with the packages that plot.py needs; empty: none.
const std::string& python() {
  static const std::string found = [] {
    for (const std::string name : {"python3", "/usr/bin/python3"}) {
      if (std::system((name + " -c 'import matplotlib, numpy, h5py' >/dev/null 2>&1").c_str()) == 0)
        return name;
    }
    return std::string();
  }();
  return found;
}

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class PlotTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (python().empty()) GTEST_SKIP() << "no python3 with matplotlib, numpy and h5py: plot.py cannot be run";
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / concat("umbra_plot_", info->name(), "_", ::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }

  // Exit status of plot.py, run with the test's folder as its own; its output goes to said_ and complaint_.
  int plot(const std::string& arguments) {
    const std::string command =
        concat("cd '", folder_.string(), "' && ", python(), " '" UMBRA_SOURCE_DIR "/tools/plot.py' ",
               arguments, " >said 2>complaint");
    const int status = std::system(command.c_str());
    said_ = contents(at("said"));
    complaint_ = contents(at("complaint"));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  void expect_no_temporary() const {
    for (const auto& entry : fs::directory_iterator(folder_))
      EXPECT_EQ(entry.path().string().find("umbra-tmp"), std::string::npos) << entry.path();
  }

  void expect_figure(const std::string& arguments, const std::string& out) {
    ASSERT_EQ(plot(arguments + " --overwrite --out " + out), 0) << complaint_;
    const std::string png = contents(at(out + ".png")), pdf = contents(at(out + ".pdf"));
    EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
    EXPECT_EQ(png.substr(png.size() - 8, 4), "IEND");
    EXPECT_GT(png.size(), 15000U) << "an empty figure is smaller";
    EXPECT_EQ(pdf.substr(0, 5), "%PDF-");
    EXPECT_GT(pdf.size(), 5000U);
    expect_no_temporary();
  }

  // An error of plot.py of one line with all `parts`, status 1, and neither a figure nor a temporary file.
  void expect_sentence(const std::string& arguments, std::initializer_list<std::string> parts) {
    EXPECT_EQ(plot(arguments + " --out bad"), 1) << arguments << ": " << complaint_;
    EXPECT_EQ(complaint_.find("Traceback"), std::string::npos) << complaint_;
    const std::size_t start = complaint_.find("plot.py: ");
    ASSERT_NE(start, std::string::npos) << arguments << ": " << complaint_;
    EXPECT_EQ(complaint_.find('\n', start), complaint_.size() - 1) << complaint_;
    for (const auto& part : parts)
      EXPECT_NE(complaint_.find(part, start), std::string::npos) << part << " | " << complaint_;
    for (const auto& entry : fs::directory_iterator(folder_))
      EXPECT_NE(entry.path().filename().string().substr(0, 3), "bad") << entry.path();
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(at(name)) << text; }

  fs::path folder_;
  std::string said_, complaint_;
};

// ---- inputs
// ---------------------------------------------------------------------------------------------------------

Json evaluation() {
  Json result = {{"bin_edges_log10_msun", {10.2, 10.3, 10.4, 10.5}},
                 {"smf_unit", "(Mpc/h)^-3 per bin"},
                 {"sigma", {1e-4, 5e-5, 2e-5}},
                 {"smf_true_mean", {1e-3, 4e-4, 6e-5}},
                 {"smf_true_standard_deviation", {5e-4, 3e-4, 9e-5}},
                 {"validation_boxes", 20}};
  for (int i = 0; i < 9; ++i) {  // more models than colours
    result["models"].push_back({{"name", concat("net (runs/r", i, ")")},
                                {"run", concat("runs/r", i)},
                                {"chi2", {{"mean", 47.2 + i}, {"standard_error", 3.0}}},
                                {"smf_mean", {1.1e-3, 3.5e-4 + 1e-5 * i, i == 0 ? -1e-6 : 5e-5}},
                                {"smf_standard_deviation", {4e-4, 2e-4, 8e-5}}});
  }
  return result;
}

std::string metrics(int epochs, int change) {
  std::ostringstream text;
  text << "epoch,step,split,loss,chi2,lr,grad_norm,seconds\n";
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const double chi2 = 100.0 + 400.0 / epoch, rate = epoch > change ? 1e-4 : 1e-3;
    for (int step = 4 * epoch - 3; step <= 4 * epoch; ++step)
      text << epoch << ',' << step << ",train," << chi2 << ',' << chi2 - step << ',' << rate << ",1,0.1\n";
    text << epoch << ',' << 4 * epoch << ",validation," << chi2 << ',' << chi2 + 20 << ',' << rate
         << ",0,0.1\n";
  }
  return text.str();
}

// Two cubes of 50 Mpc/h, eight sub-boxes each; halos of cube 0 in its sub-box 0,
// those of cube 1 in its sub-box 4 (x is slowest): 0 and 12.
Catalog catalog() {
  Catalog c;
  c.box_size = 50;
  c.boxes = 2;
  c.source = "a test";
  for (int i = 0; i < 40; ++i) {
    const int cube = i % 2;
    c.columns["x"].push_back(25 * cube + 0.6 * i);
    c.columns["y"].push_back(0.3 * i);
    c.columns["z"].push_back(12.5);
    c.columns["vpeak"].push_back(140 + 10 * i);
    c.integers["box"].push_back(cube);
  }
  return c;
}

void write_predictions(const fs::path& path, std::int64_t boxes, std::int64_t bins, std::int64_t held_out,
                       float beyond = 0) {
  Hdf5File file = Hdf5File::create(path);
  std::vector<float> predicted, truth;
  std::vector<double> edges = {10.0};
  for (std::int64_t i = 0; i < boxes * bins; ++i) {
    truth.push_back(6.4e-5F * static_cast<float>(i % 7) + (i / bins < boxes - held_out ? beyond : 0));
    predicted.push_back(truth.back() + 1e-5F * static_cast<float>(i % 5 - 2));
  }
  for (std::int64_t b = 0; b < bins; ++b) edges.push_back(edges.back() + 0.1);
  file.write<float>("smf_predicted", predicted, {boxes, bins});
  file.write<float>("smf_true", truth, {boxes, bins});
  file.set_attribute("smf_true", "unit", "(Mpc/h)^-3 per bin");
  file.set_attribute("smf_true", "bin_edges", std::span<const double>(edges));
  if (held_out >= 0) {
    std::vector<std::int64_t> marked(static_cast<std::size_t>(boxes), 0);
    std::fill_n(marked.rbegin(), held_out, 1);
    file.write<std::int64_t>("validation", marked);
  }
  file.commit();
}

// Halos of a forest's catalog; the first `fitted` were in the fit (-1: none is marked).
void write_halos(const fs::path& path, std::int64_t count, std::int64_t fitted, double beyond = 0) {
  Hdf5File file = Hdf5File::create(path);
  std::vector<double> truth, predicted;
  for (std::int64_t i = 0; i < count; ++i) {
    const double mass = 9 + 0.01 * static_cast<double>(i % 300);
    truth.push_back(i % 50 == 49 ? std::nan("") : mass + (i < fitted ? beyond : 0));  // nan: no galaxy
    predicted.push_back(mass + 0.05 * static_cast<double>(i % 9 - 4));
  }
  file.write<double>("log_mass_predicted", predicted);
  file.write<double>("log_mass_true", truth);
  if (fitted >= 0) {
    std::vector<std::int64_t> marked(static_cast<std::size_t>(count), 0);
    std::fill_n(marked.begin(), fitted, 1);
    file.write<std::int64_t>("training", marked);
  }
  file.commit();
}

Json importance() {
  Json result = {{"features", {"vpeak", "spin", "is_satellite"}}};
  for (const char* measure : {"decrease_of_variance_normalised", "unbiased_decrease", "permutation"})
    result[measure] = {{"mean", {1.0, 0.02, 0.1}}, {"standard_error", {0.05, 0.001, 0.01}}};
  result["permutation_of_groups"] = {
      {{"name", "velocity and mass"}, {"mean", 1.4}, {"standard_error", 0.03}}};
  return result;
}

// ---- figures
// --------------------------------------------------------------------------------------------------------

TEST_F(PlotTest, DrawsTheMassFunctionsTheSameEachTime) {
  write("evaluation.json", evaluation().dump());
  expect_figure("smf --evaluation evaluation.json", "smf");
  const std::string png = contents(at("smf.png")), pdf = contents(at("smf.pdf"));
  expect_figure("smf --evaluation evaluation.json", "smf");
  EXPECT_EQ(contents(at("smf.png")), png);
  EXPECT_EQ(contents(at("smf.pdf")), pdf);
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

// ---- bad input
// ------------------------------------------------------------------------------------------------------

TEST_F(PlotTest, NamesWhatIsWrongWithAnEvaluation) {
  expect_sentence("smf --evaluation none.json", {"none.json", "cannot be read"});
  write("e.json", evaluation().dump().substr(0, 200));
  expect_sentence("smf --evaluation e.json", {"e.json", "not JSON"});
  const auto spoiled = [&](const std::string& pointer, const Json& value, const std::string& part) {
    Json bad = evaluation();
    bad[Json::json_pointer(pointer)] = value;
    write("e.json", bad.dump());
    expect_sentence("smf --evaluation e.json", {"e.json", part});
  };
  spoiled("/sigma", Json{1e-4, 0, 2e-5}, "sigma");
  spoiled("/models/1/smf_mean", Json{1e-3, nullptr, 1e-5}, "models[1].smf_mean");  // nan, as JSON writes it
  spoiled("/models/2/smf_standard_deviation", Json{1e-3}, "models[2].smf_standard_deviation");
  spoiled("/models", Json::array(), "models");
  Json bad = evaluation();
  bad.erase("bin_edges_log10_msun");
  write("e.json", bad.dump());
  expect_sentence("smf --evaluation e.json", {"e.json", "bin_edges_log10_msun", "missing"});
}

TEST_F(PlotTest, NamesWhatIsWrongWithMetrics) {
  expect_sentence("loss --run nowhere", {"nowhere", "cannot be read"});
  write("m.csv", "epoch,step,split,loss,chi2,lr,grad_norm,seconds\n");
  expect_sentence("loss --run m.csv", {"m.csv", "no training step"});
  write("m.csv", "epoch,step,split,loss\n1,1,train,3\n");
  expect_sentence("loss --run m.csv", {"m.csv", "chi2"});
  write("m.csv", metrics(2, 9) + "3,nine,train,1,1,1,1,1\n");
  expect_sentence("loss --run m.csv", {"m.csv", "line 12"});
}

TEST_F(PlotTest, NamesWhatIsWrongWithACatalog) {
  write("c.h5", "not HDF5");
  expect_sentence("slice --data c.h5", {"c.h5", "HDF5"});
  write_catalog(at("good.h5"), catalog());
  write("c.h5", contents(at("good.h5")).substr(0, 3000));
  expect_sentence("slice --data c.h5", {"c.h5", "HDF5"});
  expect_sentence("slice --data good.h5 --subbox-size 30", {"good.h5", "--subbox-size"});
  expect_sentence("slice --data good.h5 --box 16", {"good.h5", "0 to 15"});
  Catalog without = catalog();
  without.columns.erase("vpeak");
  without.columns["mvir"] = std::vector<double>(40, 1e12);
  write_catalog(at("c.h5"), without);
  expect_sentence("slice --data c.h5", {"c.h5", "halos/vpeak"});
}

TEST_F(PlotTest, NamesWhatIsWrongWithPredictions) {
  write_predictions(at("p.h5"), 4, 3, 0);
  expect_sentence("predictions --predictions p.h5", {"p.h5", "validation"});
  Hdf5File file = Hdf5File::create(at("p.h5"));
  file.write<float>("smf_predicted", std::vector<float>(6, 1.0F), {2, 3});
  file.commit();
  expect_sentence("predictions --predictions p.h5", {"p.h5", "smf_true", "stellar_mass"});
}

TEST_F(PlotTest, NamesWhatIsWrongWithWhatForestWrites) {
  write_halos(at("h.h5"), 100, 100);
  expect_sentence("halos --predictions h.h5", {"h.h5", "not in the fit"});
  write_predictions(at("p.h5"), 4, 3, 1);
  expect_sentence("halos --predictions p.h5", {"p.h5", "log_mass_true"});
  expect_sentence("importance --importance none.json", {"none.json", "cannot be read"});
  const auto spoiled = [&](const std::string& pointer, const Json& value, const std::string& part) {
    Json bad = importance();
    bad[Json::json_pointer(pointer)] = value;
    write("i.json", bad.dump());
    expect_sentence("importance --importance i.json", {"i.json", part});
  };
  spoiled("/features", "vpeak", "features");
  spoiled("/permutation/mean", Json{1.0, 2.0}, "permutation.mean");
  spoiled("/permutation_of_groups/0/name", 3, "permutation_of_groups");
  spoiled("/unbiased_decrease/standard_error", Json{1.0, nullptr, 0}, "unbiased_decrease.standard_error");
}

TEST_F(PlotTest, FiguresGoThroughLinksAndFilesSayHowOldTheyAre) {
  write("e.json", evaluation().dump());
  write("real.png", "old");
  fs::permissions(at("real.png"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real.png", at("linked.png"));
  EXPECT_EQ(plot("smf --evaluation e.json --out linked"), 1);
  EXPECT_EQ(complaint_, "plot.py: linked.png: cannot be written: it exists; --overwrite replaces it\n");
  EXPECT_EQ(contents(at("real.png")), "old");
  EXPECT_EQ(plot("smf --evaluation e.json --out linked --overwrite"), 0) << complaint_;
  EXPECT_TRUE(fs::is_symlink(at("linked.png")));
  EXPECT_GT(fs::file_size(at("real.png")), 15000U);
  EXPECT_EQ(fs::status(at("real.png")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("/dev/null", at("device.png"));
  EXPECT_EQ(plot("smf --evaluation e.json --out device"), 1);
  EXPECT_NE(complaint_.find("not a regular file"), std::string::npos) << complaint_;
  EXPECT_EQ(plot("smf --evaluation e.json --out full >/dev/full; echo $? >status; true"), 0);
  EXPECT_EQ(contents(at("status")), "1\n");
  expect_no_temporary();
  fs::copy(at("e.json"), at("in.png"));
  fs::create_symlink("e.json", at("input.png"));
  for (const char* arguments :
       {"--evaluation in.png --out in", "--evaluation e.json --out input", "--evaluation e.json --out ''"})
    EXPECT_EQ(plot(concat("smf ", arguments)), 1) << complaint_;
  EXPECT_EQ(contents(at("e.json")), contents(at("in.png")));
  Json newer = evaluation();
  newer["format_version"] = 7;
  write("e.json", newer.dump());
  expect_sentence("smf --evaluation e.json", {"e.json", "format version 7", "up to 1"});
}

TEST_F(PlotTest, TellsWrongUsageFromWrongInput) {
  EXPECT_EQ(plot("--help"), 0);
  for (const char* command : {"smf", "loss", "slice", "predictions", "halos", "importance"})
    EXPECT_NE(said_.find(command), std::string::npos) << command;
  EXPECT_EQ(plot("slice -h"), 0);
  EXPECT_NE(said_.find("Mpc/h"), std::string::npos);
  EXPECT_EQ(plot(""), 2);
  EXPECT_EQ(plot("smf --out x"), 2);
  EXPECT_EQ(plot("slice --data c.h5 --out x --voxels 0"), 2);
  write("e.json", evaluation().dump());
  EXPECT_EQ(plot("smf --evaluation e.json --out missing/folder/x"), 1);
  EXPECT_NE(complaint_.find("plot.py: missing/folder/x"), std::string::npos) << complaint_;
  fs::create_directories(folder_ / "taken.png");
  EXPECT_EQ(plot("smf --evaluation e.json --out taken"), 1);
  expect_no_temporary();
}

}  // namespace
}  // namespace umbra
