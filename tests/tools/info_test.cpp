// info: every file of umbra and every format that import reads is recognised, and the command that it proposes works.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "data/catalogs/catalog.h"
#include "data/images/image_set.h"
#include "data/tables/table.h"
#include "engine/io/atomic_file.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/fits_bytes.h"
#include "tests/fixtures/image_files.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::Outcome;
using testing_tools::run;

// A universe of 27 sub-boxes with everything that umbra makes of it, for the whole file.
class InfoTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    const std::string data = " --data " + path("mock.h5");
    for (const std::string& command :
         {"mock --box-size 75 --seed 3 --out " + path("mock.h5"),
          "train" + data + " --out " + path("run") + " model.channels=2 train.batch=4 train.epochs=1",
          "train" + data + " --out " + path("ensemble") +
              " model.channels=2 train.batch=4 train.epochs=1 train.seeds=2",
          "evaluate" + data + " --run " + path("ensemble") + " --out " + path("of_ensemble.json"),
          "train" + data + " data.folds=3 --write-folds " + path("folds.json"),
          "predict" + data + " --run " + path("run") + " --out " + path("predictions.h5"),
          "evaluate" + data + " --run " + path("run") + " --out " + path("evaluation.json"),
          "forest fit --trees 3" + data + " --out " + path("forest.h5"),
          "forest predict --model " + path("forest.h5") + data + " --out " + path("masses.h5"),
          "forest importance --trees 2 --model " + path("forest.h5") + data + " --out " +
              path("importance.json")}) {
      const Outcome outcome = run(command);
      ASSERT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
    }
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_info_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static void put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder() / name, std::ios::binary) << bytes;
  }
  // A data set without and with targets, and what umbra makes of it, once.
  static void make_data_set() {
    if (fs::exists(path("set.json"))) return;
    std::vector<float> inputs(40);
    std::vector<std::int64_t> targets(20);
    for (std::size_t i = 0; i < 20; ++i) {
      targets[i] = static_cast<std::int64_t>(i % 2);
      inputs[2 * i] = static_cast<float>(targets[i]);
    }
    for (const char* name : {"inputs.h5", "set.h5"}) {
      Hdf5File file = Hdf5File::create(path(name));
      file.write<float>("inputs", inputs, {20, 2});
      if (std::string_view(name) == "set.h5") file.write<std::int64_t>("targets", targets);
      file.commit();
    }
    const std::string data = " --data " + path("set.h5"), of_run = " --run " + path("classes") + data;
    expect_runs("train" + data + " --out " + path("classes") +
                    " task=dataset model.name=mlp model.hidden=8 train.epochs=1 train.batch=4",
                "epoch");
    expect_runs("predict" + of_run + " --out " + path("p.h5"), "wrote");
    expect_runs("predict" + of_run + " --out " + path("p.csv"), "wrote");
    expect_runs("evaluate" + of_run + " --out " + path("set.json"), "accuracy");
  }
  static void expect_info(const std::string& name, const std::vector<std::string>& words) {
    const Outcome outcome = run("info " + path(name));
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_TRUE(outcome.output.starts_with(path(name) + ": ")) << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << " | " << outcome.output;
  }
  // The command of the line "next: …", with words of its own in place of the names to fill in.
  static std::string next_of(const std::string& name,
                             std::initializer_list<std::pair<std::string, std::string>> fill) {
    std::string text = run("info " + path(name)).output;
    const std::size_t at = text.find("next: ");
    if (at == std::string::npos) return "false";
    text = text.substr(at + 6, text.find('\n', at) - at - 6);
    for (const auto& [from, to] : fill) {
      const std::size_t found = text.find(from);
      EXPECT_NE(found, std::string::npos) << from << " | " << text;
      if (found != std::string::npos) text.replace(found, from.size(), to);
    }
    return text;
  }
  static void expect_runs(const std::string& command, const std::string& words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(words), std::string::npos) << command << "\n" << outcome.output;
  }
};

TEST_F(InfoTest, FilesOfUmbra) {
  expect_info("mock.h5", {"a catalog of 1 cube of 75 Mpc/h", "source: ", "h 0.678", "stellar_mass", "Msun",
                          "all ", "next: train --data " + path("mock.h5") + " --out run"});
  expect_info("run", {"folder of a run with best.h5 and last.h5", "task smf", "um_resnet", "epoch 1",
                      "best validation chi2", "next: predict --run " + path("run")});
  expect_info("run/best.h5", {"a checkpoint for predictions", "tensors of"});
  expect_info("run/last.h5", {"a checkpoint to resume from"});
  expect_info("run/metrics.csv", {"the metrics of a run", "last validation: epoch 1"});
  EXPECT_EQ(run("info " + path("run/metrics.csv") + " " + path("run")).output.find("grad_norm"),
            std::string::npos);
  expect_info("run/config.toml", {"the settings of a run", "model um_resnet", "1 epochs, batch 4",
                                  "next: train --config " + path("run/config.toml")});
  expect_info("run/baselines.json", {"the baselines of a run", "mean SMF, chi2 ", "plot.py loss --run "});
  expect_info("ensemble", {"the folder of an ensemble of 2 runs", "seed-2, last validation: epoch 1",
                           "next: predict --run " + path("ensemble")});
  expect_info("ensemble/config.toml", {"the settings of an ensemble", "seeds: 2"});
  expect_info("of_ensemble.json", {"2 seeds (", " +- ", "mean prediction"});
  expect_info("run/best.safetensors", {"weights in safetensors", "tensors of", "train --weights"});
  expect_runs(next_of("run/best.safetensors", {{"FILE", path("mock.h5")},
                                               {"--out run", "--out " + path("more") + " train.epochs=1"}}),
              "epoch 1/1");
  expect_info("predictions.h5",
              {"predicted stellar mass functions of 27 sub-boxes", "smf_predicted [27, 14]", "run: "});
  expect_info("evaluation.json",
              {"an evaluation of 5 models", "mean SMF, chi2 ", "plot.py smf --evaluation"});
  expect_info("forest.h5", {"a random forest of 3 trees", "features: ", "forest predict --model"});
  expect_info("masses.h5", {"stellar masses that a forest predicted", "log_mass_true"});
  expect_info("importance.json", {"the importances of a forest", "source: "});
}

TEST_F(InfoTest, DataSetsAndTheirPredictions) {
  make_data_set();
  expect_info("inputs.h5",
              {"a data set of 20 samples of shape [2]", "no /targets", "next: predict --run RUN"});
  expect_info("set.h5", {"targets: 2 classes", "split: none", "next: train --data "});
  expect_runs(next_of("set.h5", {{"--out run", "--out " + path("again") + " train.epochs=1 train.batch=4"}}),
              "epoch");
  expect_info("p.h5", {"predictions of classes for 20 samples", "probabilities [20, 2]"});
  expect_info("p.csv", {"predictions of classes for samples of a data set, as CSV", "probability_1"});
  expect_info("set.json", {"an evaluation of ", "accuracy"});
  expect_info("classes/best.safetensors", {" task=dataset model.name=mlp model.hidden=8"});
  expect_runs(
      next_of("classes/best.safetensors",
              {{"FILE", path("set.h5")}, {"--out run", "--out " + path("third") + " train.epochs=1"}}),
      "epoch 1/1");
  put("values.csv", "row,mass,radius\n0,1.5,2\n1,2.5,3\n");
  expect_info("values.csv", {"predictions of values", "columns: row mass radius"});
  put("rows.csv", "row,X,Y,Z,Vmax\n1,2,3,4,200\n");
  expect_info("rows.csv", {"a CSV table of 5 columns", "next: import table"});
}

TEST_F(InfoTest, EveryRowOfTheTableOfFilesIsDescribed) {
  make_data_set();
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> examples = {
      {"catalog", {{"mock.h5", "a catalog"}}},
      {"data set", {{"set.h5", "a data set"}}},
      {"`RUN/config.toml`", {{"run/config.toml", "the settings"}}},
      {"`RUN/seed-1`, `RUN/seed-2`, …", {{"ensemble", "an ensemble"}, {"ensemble/seed-1", "a run"}}},
      {"`RUN/metrics.csv`", {{"run/metrics.csv", "the metrics"}}},
      {"`RUN/baselines.json`", {{"run/baselines.json", "the baselines"}}},
      {"`RUN/last.h5`, `best.h5`", {{"run/last.h5", "a checkpoint"}, {"run/best.h5", "a checkpoint"}}},
      {"`RUN/best.safetensors`", {{"run/best.safetensors", "weights"}}},
      {"folds", {{"folds.json", "the folds of 27 sub-boxes"}}},
      {"predictions", {{"predictions.h5", "predicted stellar mass functions"}}},
      {"predictions of a data set",
       {{"p.h5", "predictions of classes"}, {"p.csv", "predictions of classes"}}},
      {"forest model", {{"forest.h5", "a random forest"}}},
      {"`forest predict`", {{"masses.h5", "stellar masses that a forest predicted"}}},
      {"evaluation", {{"evaluation.json", "an evaluation"}, {"of_ensemble.json", "an evaluation"}}},
      {"evaluation of a data set", {{"set.json", "an evaluation"}}}};
  make_bars(path("bars"));
  examples["images"] = {{"bars", "a folder of 24 images"}};
  examples["`FOLDER-KEY.h5`"] = examples["data set"];  // for a build that does not read images
  if (can_read_images()) {
    const fs::path decoded = open_image_set(path("bars"), {}, {path("decoded"), true}).file;
    examples["`FOLDER-KEY.h5`"] = {{"decoded/" + decoded.filename().string(), "a data set of 24 samples"}};
  }
  write_text_file(path("parts.json"),
                  R"({"format_version": 1, "parts": [{"state": "finished"}, {"state": "failed"}]})");
  write_text_file(path("table.json"), R"({"format_version": 1, "reference": "mean SMF", "rows": [{}]})");
  examples["reproduction"] = {{"parts.json", "the record of a reproduction: 1 of 2 parts are finished"},
                              {"table.json", "Table 1 of a reproduction: 1 rows"}};
  fs::copy_file(UMBRA_SOURCE_DIR "/bench/results/camels/camels.json", path("camels.json"));
  examples["`reproduce --camels`"] = {{"camels.json", "the table of reproduce --camels: "}};
  std::ifstream page(UMBRA_SOURCE_DIR "/docs/files.md");
  std::size_t rows = 0;
  for (std::string line; std::getline(page, line) && line != "## What a file is";) {
    if (!line.starts_with("| ") || line.starts_with("| ---") || line.starts_with("| file |")) continue;
    const std::string row = line.substr(2, line.find(" |", 2) - 2);
    ASSERT_TRUE(examples.contains(row)) << row;
    for (const auto& [file, what] : examples.at(row)) expect_info(file, {what});
    ++rows;
  }
  EXPECT_EQ(rows, examples.size());
}

TEST_F(InfoTest, WhatACatalogLacksIsNamed) {
  Catalog catalog = read_catalog(path("mock.h5"));
  catalog.columns.erase("stellar_mass");
  write_catalog(path("halos.h5"), catalog);
  expect_info("halos.h5", {"no stellar_mass: it can be predicted on, not trained on"});
  expect_runs(next_of("halos.h5", {{"RUN", path("run")}, {" predictions.h5", " " + path("of_halos.h5")}}),
              "wrote");
  Hdf5File file = Hdf5File::create(path("broken.h5"));
  file.set_attribute("/", "box_size", 75.0);
  file.set_attribute("/", "h", 0.7);
  for (const char* axis : {"x", "y", "z"}) file.write<double>(std::string("halos/") + axis, {1, 2, NAN});
  file.write<double>("halos/VPEAK", {200, 300, 400});
  file.write<double>("halos/stellar_mass", {9.5, 10.5, 11.5});
  file.commit();
  expect_info("broken.h5",
              {"column VPEAK read as vpeak", "logarithms of masses where masses are expected: stellar_mass",
               "bad values in x, y, z"});
  expect_runs(next_of("broken.h5", {{"NEW.h5", path("mended.h5")}}), "with a bad value: 1");
  expect_info("mended.h5", {"2 rows", "next: train"});
}

TEST_F(InfoTest, FormatsThatImportReads) {
  put("hlist_0.5.list",
      "#scale(0) id(1) upid(6) mvir(10) x(17) y(18) z(19) Vpeak(62)\n#Omega_M = 0.3; h0 = 0.7\n"
      "#Full box size = 100.000000 Mpc/h\n0.5 7 -1 1e11 10 20 30 200.5\n0.5 8 7 2e11 11 21 31 nan\n");
  expect_info("hlist_0.5.list", {"consistent-trees", "h 0.7, omega_m 0.3, redshift 1", "box size: 100 Mpc/h",
                                 "vpeak = Vpeak", "no stellar_mass", "bad values in vpeak"});
  expect_runs(next_of("hlist_0.5.list", {{" catalog.h5", " " + path("hlist.h5")}}), "with a bad value: 1");
  put("hlist_0.6.list",
      "#scale(0) id(1) upid(6) mvir(10) x(17) y(18) z(19) vmax(20)\n#Omega_M = 0.3; h0 = 0.7\n"
      "#Full box size = 100.000000 Mpc/h\n0.6 7 -1 1e11 10 20 30 200.5\n0.6 8 7 2e11 11 21 31 160\n");
  expect_info("hlist_0.6.list",
              {"a text table of 8 columns: a consistent-trees hlist without Vpeak, which import hlist",
               "box size: 100 Mpc/h", "h 0.7, omega_m 0.3", "vpeak = vmax", "next: import table",
               "--columns vpeak=vmax --box-size 100 --h 0.7 --out"});
  expect_runs(next_of("hlist_0.6.list", {{" catalog.h5", " " + path("vmax.h5")}}), "2 rows");
  put("merged.cache", "X,Y,Z,Vpeak,obs_SM\n1,2,3,180.25,3.5e10\n");
  expect_info("merged.cache", {"Nadler & To", "250 Mpc/h is usual", "next: import umml-csv"});
  std::string record(128, '\0');
  const float numbers[] = {1, 2, 3};
  record.replace(32, sizeof numbers, reinterpret_cast<const char*>(numbers), sizeof numbers);
  const float mass = 1e12f, velocity = 200;
  record.replace(56, 4, reinterpret_cast<const char*>(&velocity), 4);
  record.replace(64, 4, reinterpret_cast<const char*>(&mass), 4);
  put("sfr_catalog_1.002310.bin", record + record);
  expect_info("sfr_catalog_1.002310.bin",
              {"UniverseMachine", "all 2 rows", "vpeak = vmp", "next: import um-bin", "--hlist HLIST"});
}

TEST_F(InfoTest, TablesGetTheCommandThatImportsThem) {
  std::string text = "X,Y,Z,Vmax,logM,name\n";
  for (int i = 0; i < 30; ++i)
    text += std::to_string(i) + ",2,3," + std::to_string(160 + i) + "," + std::to_string(9.5 + 0.05 * i) +
            ",abc\n";
  put("halos.csv", text);
  expect_info("halos.csv", {"a CSV table of 6 columns", "vpeak = Vmax", "stellar_mass = logM", "(name)",
                            "box size: not in the file; x is from 0 to 29 Mpc/h",
                            "logarithms of masses where masses are expected: stellar_mass"});
  const std::string command = next_of("halos.csv", {{"SIDE", "30"}, {" catalog.h5", " " + path("csv.h5")}});
  EXPECT_NE(command.find("--columns 'vpeak=Vmax,stellar_mass=10**logM' --box-size 30"), std::string::npos)
      << command;
  expect_runs(command, "30 rows");
  put("gadget.txt", "# x y z vmax mvir\n1000 2000 3000 200 50\n29000 2000 3000 300 90\n");
  expect_info("gadget.txt", {"perhaps x=kpc/h,y=kpc/h,z=kpc/h,mvir=1e10 Msun/h",
                             "--units 'x=kpc/h,y=kpc/h,z=kpc/h,mvir=1e10 Msun/h'"});
  if (!can_read_fits()) GTEST_SKIP() << "this build cannot read FITS: CFITSIO (libcfitsio-dev) was not found";
  put("halos.fits",
      fits_file(fits_table("H", {{"POS", "kpc/h", {1000, 2000, 3000}, 3}, {"VPEAK", "km/s", {200}}},
                           fits_value("BOXSIZE", "30000.0"))));
  expect_info("halos.fits", {"a FITS table of 4 columns", "box size: 30 Mpc/h", "no stellar_mass"});
  expect_runs(next_of("halos.fits", {{" catalog.h5", " " + path("fits.h5")}}), "1 rows");
  put("nox.fits", fits_file(fits_table("H", {{"East", "kpc/h", {1000}}, {"vpeak", "km/s", {200}}},
                                       fits_value("BOXSIZE", "30000.0"))));
  expect_info("nox.fits", {"box size: 30000 in the unit of the positions"});
}

TEST_F(InfoTest, UnknownFilesAreAnErrorOfTheirOwn) {
  put("nothing.bin", std::string("\x01\x02\x00\x03", 4));
  put("empty.txt", "");
  put("halos.parquet", "PAR1\x15\x04");
  put("halos.csv.xz", std::string(1, '\xfd') + std::string("7zXZ\0", 5));
  const Outcome several = run("info " + path("nothing.bin") + " " + path("mock.h5") + " " + path("missing") +
                              " " + path("empty.txt") + " " + path("halos.parquet") + " " +
                              path("halos.csv.xz") + " " + folder().string() + " <(echo 1 2 3)");
  EXPECT_EQ(several.status, 1);
  for (const char* word :
       {"a catalog of 1 cube", "nothing.bin' is neither a file of umbra", "missing' does not exist",
        "empty.txt' is empty", "pandas.read_parquet(", "csv.xz' is compressed with xz",
        "a pipe can be read only once", "is neither a file of umbra nor one that import reads"})
    EXPECT_NE(several.output.find(word), std::string::npos) << word << " | " << several.output;
  const std::string first = "missing' does not exist", second = "empty.txt' is empty";
  EXPECT_LT(several.output.find("nothing.bin' is neither"), several.output.find(first));
  EXPECT_LT(several.output.find(first), several.output.find(second));
  const Outcome called = run("./info " + path("mock.h5"));
  EXPECT_NE(called.output.find("next: ./train --data "), std::string::npos) << called.output;
  EXPECT_EQ(run("info").status, 2);
}

}  // namespace
}  // namespace umbra
