// Folders of images through the tools, as a user runs them: train, resume, evaluate, predict, info, fine-tune.
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "data/images/image.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/folder_test.h"
#include "tests/fixtures/image_files.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

const std::string kNetwork =
    " model.name=resnet18 model.stem=3x3 model.channels=4 train.batch=6 train.learning_rate=0.01";

class ImagesToolTest : public FolderTest {
 protected:
  void SetUp() override {
    if (!can_read_images()) GTEST_SKIP() << "a build without libjpeg-turbo and libpng does not read images";
    make_bars(folder_ / "bars");
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string train(const std::string& out, const std::string& more) const {
    return "train --data " + path("bars") + " --out " + path(out) + more;
  }
  static std::string must(const std::string& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
    return outcome.output;
  }
  static void expect_error(const std::string& command, const std::vector<std::string>& words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 1) << command << "\n" << outcome.output;
    EXPECT_EQ(testing_tools::line_count(outcome.output), 1) << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << "\n" << outcome.output;
  }
  // Removes the decoded images in `folder`; their number.
  static std::ptrdiff_t remove_decoded(const fs::path& folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".h5" || entry.path().filename().string().starts_with(".umbra-tmp"))
        found.push_back(entry.path());
    for (const fs::path& file : found) fs::remove(file);
    return std::ssize(found);
  }
  static void expect_words(const std::string& text, const std::vector<std::string>& words) {
    for (const std::string& word : words)
      EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }
};

TEST_F(ImagesToolTest, ANetworkLearnsAFolder) {
  expect_words(must(train("run", kNetwork + " train.epochs=20 data.shift=1")),
               {"labels.csv: images from column id, classes from column label, split from column split",
                "24 decoded images are kept in " + path("bars-"), "3 classes: left 8, top 8, right 8\n",
                "24 samples: 18 to train on, 6 to validate on"});
  expect_words(must("evaluate --data " + path("bars") + " --run " + path("run") + " --out " + path("e.json")),
               {"most frequent class", "recall", "  left ", "  right "});
  const auto result = nlohmann::json::parse(bytes(folder_ / "e.json"));
  EXPECT_LT(result["models"][1]["error"]["mean"].get<double>(), 0.2);
  EXPECT_EQ(result["class_names"][1], "top");

  // Another folder without labels, and without the cache.
  for (int i = 0; i < 3; ++i)
    write_bytes(folder_ / "new" / concat("n", i, ".png"), png_file(bar(16, i, 7 + i)));
  const Outcome predicted =
      run("predict --run " + path("run") + " --data " + path("new") + " --out " + path("p.csv"));
  EXPECT_EQ(predicted.status, 0) << predicted.output;
  std::istringstream rows(bytes(folder_ / "p.csv"));
  std::string line;
  std::getline(rows, line);
  EXPECT_EQ(line, "row,file,predicted,name,probability_left,probability_top,probability_right,split");
  std::getline(rows, line);
  EXPECT_TRUE(line.starts_with("0,n0.png,0,left,0.") && line.ends_with(",new")) << line;
  EXPECT_EQ(std::count_if(fs::directory_iterator(folder_), fs::directory_iterator(),
                          [](const auto& entry) { return entry.path().extension() == ".h5"; }),
            1);

  must("predict --run " + path("run") + " --data " + path("bars") + " --out " + path("p.h5"));
  const Hdf5File file = Hdf5File::open(path("p.h5"));
  EXPECT_EQ(file.read_texts("files")[2], "images/1002.png");
  EXPECT_EQ(file.read<std::int64_t>("validation")[3], 1);
  EXPECT_EQ(file.read<std::int64_t>("split")[3], 1);
  EXPECT_EQ(file.read<std::int64_t>("targets")[5], 2);
}

// Every kind of augmentation, in any number of threads, after an interruption.
TEST_F(ImagesToolTest, ResumesWithTheSameBitsForAnyNumberOfThreads) {
  const std::string all =
      kNetwork +
      " data.flips=true data.mirrored=left:right data.turns=true data.rotation=20 data.zoom=0.1 "
      "data.shift=2 loss.mixup=0.3 loss.label_smoothing=0.1 loss.class_weights=balanced "
      "train.optimizer=sgd train.schedule=constant model.dropout=0.2 train.epochs=";
  must("OMP_NUM_THREADS=1 ./" + train("whole", all + "4"));
  must("OMP_NUM_THREADS=3 ./" + train("part", all + "2"));
  EXPECT_EQ(remove_decoded(folder_), 1);
  must("OMP_NUM_THREADS=2 ./" + train("part", " --resume train.epochs=4"));
  const Hdf5File whole = Hdf5File::open(path("whole/last.h5")), part = Hdf5File::open(path("part/last.h5"));
  for (const char* group : {"model", "optimizer", "transform"})
    for (const Hdf5Entry& entry : whole.list(group)) {
      const std::string object = std::string(group) + "/" + entry.name;
      EXPECT_EQ(whole.read<double>(object), part.read<double>(object)) << object;
    }
}

// Columns are those that the run found; what cannot be used is named, and is not an error.
TEST_F(ImagesToolTest, PredictTakesAnyFolder) {
  must(train("run", kNetwork + " train.epochs=1"));
  expect_words(bytes(folder_ / "run/config.toml"),
               {"labels = 'labels.csv'", "file_column = 'id'", "label_column = 'label'",
                "name_column = 'class'", "split_column = 'split'"});
  must(train("run", " --resume train.epochs=2"));
  const std::string predict = "predict --run " + path("run") + " --overwrite --data ";
  expect_words(must(predict + path("bars") + " --out " + path("p.csv")), {"are read from " + path("bars-")});

  for (int i = 0; i < 4; ++i)
    write_bytes(folder_ / "new" / concat(i, ".png"), png_file(bar(16, i % 3, 7 + i)));
  const auto has_targets = [&](const std::string& table) {
    write_bytes(folder_ / "new/t.csv", table);
    must(predict + path("new") + " --out " + path("p.h5"));
    const Hdf5File file = Hdf5File::open(path("p.h5"));
    EXPECT_EQ(file.describe("predicted").shape, Shape{4});
    return file.has("targets");
  };
  EXPECT_TRUE(has_targets("id,label\n0,0\n1,1\n2,2\n3,0\n"));
  EXPECT_FALSE(has_targets("id,label\n0,1\n1,2\n2,3\n3,1\n"));
  EXPECT_TRUE(has_targets("id,label\n0,0\n1,1\n"));  // all images are predicted, also those without a row

  write_bytes(folder_ / "new/1.png", "no image");
  fs::remove(folder_ / "new/t.csv");
  expect_words(must(predict + path("new") + " --out " + path("p.csv")),
               {"1 of 4 images are left out: " + path("new/1.png"), "3 samples predicted"});
}

// Results may be among the images, and a run reads its table whatever else is there.
TEST_F(ImagesToolTest, ResultsMayBeInTheFolder) {
  const std::string bars = path("bars");
  must("train --data " + bars + " --out " + bars + kNetwork + " train.epochs=1");
  const std::string of_run = " --data " + bars + " --run " + bars + " --out ";
  must("predict" + of_run + bars + "/p.csv");
  write_bytes(folder_ / "bars/more.csv", "x,y\n1,2\n");
  expect_words(must("predict" + of_run + path("p2.csv")),
               {"classes from column label, split from column split"});
  must("evaluate" + of_run + path("e.json"));
}

TEST_F(ImagesToolTest, WhatIsNoFolderOfImagesIsNamed) {
  fs::create_directories(folder_ / "empty");
  for (const char* tool : {"train --dry-run --data ", "train data.image_size=8 --out no --data "})
    expect_error(tool + path("empty"), {"empty: it has no image; a folder of images has", "docs/images.md"});
  EXPECT_EQ(run("info " + path("empty")).status, 1);
  expect_words(run("info " + path("empty")).output, {"a folder of images has .jpg, .jpeg or .png files"});
  expect_error("train --out no --data " + path("bars/labels.csv"),
               {"labels.csv: a table of images is read with its folder"});
  expect_error("train --out no --data " + path("bars/images/1000.png"),
               {"1000.png: --data takes the folder"});
  expect_words(must("info " + path("bars/labels.csv")),
               {"images are next to it", "info " + path("bars") + "\n"});
  fs::rename(path("bars/images"), path("bars/left"));
  fs::rename(path("bars/labels.csv"), path("table.csv"));
  fs::create_directories(folder_ / "bars/right");
  fs::rename(path("bars/left/1001.png"), path("bars/right/1001.png"));
  expect_error(train("no", kNetwork + " data.image_size=8"),
               {"no CSV file with labels", "folders per class"});
  expect_words(must("info " + path("bars")), {"a folder of 24 images", "folders per class"});
  fs::create_directories(folder_ / "tables");
  fs::rename(path("table.csv"), path("tables/table.csv"));
  must("train --data " + path("tables") +
       " --dry-run model.channels=4 data.images=" + path("bars"));  // resnet18
}

TEST_F(ImagesToolTest, InfoKnowsFolders) {
  expect_words(must("info " + path("bars")),
               {"a folder of 24 images", "3 classes: left 8, top 8, right 8",
                "18 to train on, 6 to validate on", "16 x 16 pixels in RGB", "train --data " + path("bars")});
  write_bytes(folder_ / "bars/images/2000.png", png_file(bar(20, 0, 0)));
  write_bytes(folder_ / "bars/images/2001.png", "no image");
  expect_words(must("info " + path("bars")),
               {"a folder of 26 images", "2 images have no row", "20 of them have 16 x 16 pixels"});
  write_bytes(folder_ / "bars/labels.csv", "id,label\n1000,0\n1001,1\n2000,0\n2001,1\n2002,1\n");
  expect_words(must("info " + path("bars")),
               {"22 images have no row", "they have", "1 row has no image",
                "16 x 16 to 20 x 20 pixels in RGB", "1 cannot be read: ", "2001.png: it is neither",
                "--out run data.image_size=16 data.broken_images=skip"});
  write_bytes(folder_ / "bars/more.csv", "x,y\n1,2\n");
  expect_words(must("info " + path("bars")),
               {"a folder of images", "labels.csv and more.csv; data.labels chooses"});
  fs::remove(folder_ / "bars/labels.csv");
  fs::remove(folder_ / "bars/more.csv");
  expect_words(must("info " + path("bars")), {"no CSV file with labels", "predict --run RUN --data "});
}

TEST_F(ImagesToolTest, WhatDoesNotFitIsOneSentence) {
  expect_error(train("no", kNetwork + " data.mirrored=left:right"), {"data.mirrored", "data.flips=true"});
  expect_error(train("no", kNetwork + " data.flips=true data.mirrored=left:rigth"),
               {"no 'rigth'", "left, top and right"});
  expect_error(train("no", kNetwork + " data.label_column=klass"),
               {"labels.csv", "no column 'klass'", "id, label, class"});
  expect_error(train("no", kNetwork + " data.value_columns=label loss.mixup=0.2"),
               {"loss.mixup=0.2", "values"});
  write_bytes(folder_ / "bars/images/1005.png", "no image");
  expect_error(train("no", kNetwork),
               {"1 of 24 images", "1005.png: it is neither", "data.broken_images=skip"});
  EXPECT_FALSE(fs::exists(folder_ / "no"));
  expect_words(
      must(train("skipped", kNetwork + " train.epochs=1 data.broken_images=skip data.image_size=12")),
      {"1 of 24 images are left out", "23 samples"});
  fs::remove(folder_ / "bars/labels.csv");
  expect_error(train("no", kNetwork + " data.broken_images=skip"), {"bars", "no CSV file with labels"});
}

// Without the samples that the split holds out, and with a file of weights for another number of classes.
TEST_F(ImagesToolTest, SettingsAreChosenInsideTheTrainingPartAndWeightsAreFineTuned) {
  expect_words(must(train("inner", kNetwork + " train.epochs=1 data.inner_folds=3 data.inner_fold=2")),
               {"24 samples: 12 to train on, 6 to validate on", "6 samples left out by data.inner_folds"});
  write_bytes(folder_ / "bars/labels.csv",
              "id,label\n1000,a\n1001,b\n1003,a\n1004,b\n1006,a\n1007,b\n1009,a\n1010,b\n");
  const std::string tune =
      train("tuned", kNetwork + " train.epochs=1 train.batch=2 --weights " + path("inner/best.safetensors"));
  expect_error(tune, {"fc.weight", "[3, 32]", "train.new_layers=fc"});
  expect_words(must(tune + " train.new_layers=fc"), {"layers start with its weights, at random: fc\n"});
  expect_words(must(train("again", kNetwork + " train.epochs=1 train.batch=2 --weights " +
                                       path("tuned/best.safetensors"))),
               {"the last one (fc), too", "add train.new_layers=fc"});
  const std::string said = must(
      train("two", kNetwork + " train.epochs=1 train.batch=2 train.seeds=2 train.new_layers=fc --weights " +
                       path("tuned/best.safetensors")));
  const std::size_t first = said.find("at random: fc");
  EXPECT_LT(first, said.size());
  EXPECT_EQ(said.find("at random: fc", first + 1), std::string::npos) << said;
  expect_error(tune + " --overwrite train.new_layers=fcc", {"no layer fcc", "train.new_layers=fc "});
  expect_error(tune + " --overwrite model.channels=8", {"conv1.weight"});
  EXPECT_EQ(run(tune + " --overwrite model.channels=8").output.find("new_layers"), std::string::npos);
}

// The samples of `test` are named by predict and scored by evaluate, and nothing else ever sees them.
TEST_F(ImagesToolTest, TestSamplesAreFoundAndScored) {
  std::string table = bytes(folder_ / "bars/labels.csv");
  for (const char* id : {"1003", "1007"}) {
    const std::size_t row = table.find(id), side = table.find("val", row);
    table.replace(side, 3, "test");
  }
  write_bytes(folder_ / "bars/labels.csv", table);
  expect_words(must(train("run", kNetwork + " train.epochs=2")), {"2 samples to test on"});
  const std::string of_run = " --data " + path("bars") + " --run " + path("run");
  must("predict" + of_run + " --out " + path("p.csv"));
  std::istringstream rows(bytes(folder_ / "p.csv"));
  std::string line;
  std::getline(rows, line);
  EXPECT_TRUE(line.ends_with(",probability_right,split")) << line;
  for (int i = 0; i < 24; ++i) {
    std::getline(rows, line);
    EXPECT_TRUE(line.ends_with(i == 3 || i == 7 ? ",test" : i % 4 == 3 ? ",val" : ",train")) << line;
  }
  must("predict" + of_run + " --out " + path("p.h5"));
  const Hdf5File file = Hdf5File::open(path("p.h5"));
  const std::vector<std::int64_t> split = file.read<std::int64_t>("split"),
                                  validation = file.read<std::int64_t>("validation");
  for (std::size_t i = 0; i < split.size(); ++i) {
    EXPECT_EQ(split[i], i == 3 || i == 7 ? 2 : i % 4 == 3 ? 1 : 0) << i;
    EXPECT_EQ(validation[i], split[i] == 1 ? 1 : 0) << i;
  }
  const std::string out = " --out " + path("e.json");
  expect_words(must("evaluate --split test" + of_run + out), {"mean over 2 test samples"});
  const auto result = nlohmann::json::parse(bytes(folder_ / "e.json"));
  EXPECT_EQ(result["test_samples"], 2);
  // By hand from the probabilities of predict.
  const std::vector<std::int64_t> predicted = file.read<std::int64_t>("predicted"),
                                  truth = file.read<std::int64_t>("targets");
  const double wrong = (predicted[3] != truth[3] ? 0.5 : 0) + (predicted[7] != truth[7] ? 0.5 : 0);
  EXPECT_EQ(result["models"][1]["error"]["mean"].get<double>(), wrong);
  expect_words(must("evaluate --overwrite" + of_run + out), {"mean over 4 validation samples"});
  must("evaluate --overwrite" + of_run + out);
  fs::rename(path("bars"), path("others"));
  make_bars(folder_ / "bars");
  must(train("plain", kNetwork + " train.epochs=1"));
  expect_error("evaluate --split test --overwrite --data " + path("bars") + " --run " + path("plain") + out,
               {"bars: --split test: it has no test samples"});
}

// What the run used an image for is known whatever has become of its row, its name and the rest of the folder.
TEST_F(ImagesToolTest, PredictKnowsTheSamplesOfTheRun) {
  must(train("run", kNetwork + " train.epochs=1"));
  std::string table = bytes(folder_ / "bars/labels.csv");
  table.replace(table.find("1005,2,right"), 12, "1005,,right");
  write_bytes(folder_ / "bars/labels.csv", table + "new,0,left,val\n");
  write_bytes(folder_ / "bars/images/new.png", png_file(bar(16, 0, 31)));
  const std::string predict = "predict --run " + path("run") + " --overwrite --data ";
  expect_words(must(predict + path("bars") + " --out " + path("p.h5")), {"1 of 25 samples are new"});
  const Hdf5File file = Hdf5File::open(path("p.h5"));
  const std::vector<std::int64_t> split = file.read<std::int64_t>("split");
  ASSERT_EQ(split.size(), 25U);
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(split[i], i % 4 == 3 ? 1 : 0) << i;
  EXPECT_EQ(split[24], -1);
  EXPECT_EQ(file.read<std::int64_t>("validation")[24], 0);
  EXPECT_EQ(file.read<std::int64_t>("targets")[5], -1);

  write_bytes(folder_ / "some/a.png", bytes(folder_ / "bars/images/1003.png"));
  must(predict + path("some") + " --out " + path("p.csv"));
  EXPECT_NE(bytes(folder_ / "p.csv").find("0,a.png,"), std::string::npos);
  EXPECT_TRUE(bytes(folder_ / "p.csv").ends_with(",val\n"));
}

// The channels of a run are those of its images, not of the first image that it predicts.
TEST_F(ImagesToolTest, PredictReadsImagesInTheShapeOfTheRun) {
  must(train("run", kNetwork + " train.epochs=1"));
  expect_words(bytes(folder_ / "run/config.toml"), {"image_channels = 3"});
  Image grey{16, 16, 1, std::vector<std::uint8_t>(256, 90)};
  write_bytes(folder_ / "new/a.png", png_file(grey));
  write_bytes(folder_ / "new/b.png", png_file(bar(16, 1, 2)));
  const std::string predict = "predict --run " + path("run") + " --data " + path("new") + " --out ";
  expect_words(must(predict + path("p.csv")), {"2 samples predicted"});
  write_bytes(folder_ / "new/b.png", png_file(bar(20, 1, 2)));
  expect_error(predict + path("q.csv"), {"b.png", "20 x 20", "16 x 16", "trained without data.image_size"});
  write_bytes(folder_ / "new/a.png", png_file(bar(20, 1, 2)));
  expect_error(predict + path("q.csv"), {path("new"), "20 x 20", path("run") + " takes 16 x 16"});
  {
    Hdf5File catalog = Hdf5File::create(folder_ / "catalog.h5");
    catalog.make_group("halos");
    catalog.commit();
  }
  for (const char* tool : {"predict", "evaluate"})
    expect_error(
        concat(tool, " --run ", path("run"), " --data ", path("catalog.h5"), " --out ", path("q.h5")),
        {path("run"), "folder of images", "catalog.h5 is a catalog"});
}

TEST_F(ImagesToolTest, RunsThatReadImagesOtherwiseAreNotComparedAndASplitNeedsBothParts) {
  must(train("run", kNetwork + " train.epochs=1"));
  must(train("grey", kNetwork + " train.epochs=1 data.image_channels=1"));
  expect_error("evaluate --data " + path("bars") + " --run " + path("run") + " " + path("grey") + " --out " +
                   path("e.json"),
               {path("grey"), "otherwise than " + path("run"), "data.image_channels=1, not 3"});
  std::string table = bytes(folder_ / "bars/labels.csv");
  for (std::size_t at = 0; (at = table.find(",val", at)) != std::string::npos;) table.replace(at, 4, ",test");
  write_bytes(folder_ / "bars/labels.csv", table);
  expect_error(train("no", kNetwork), {"no image has val in the column split", "data.inner_folds=5"});
  expect_words(must(train("folds", kNetwork + " train.epochs=1 data.inner_folds=3")),
               {"24 samples: 12 to train on, 6 to validate on", "6 samples to test on"});
}

// data.cache keeps the decoded images for all tools; without it, predict and evaluate keep nothing.
TEST_F(ImagesToolTest, DecodedImagesAreKeptWhereTheyShouldBe) {
  const std::string kept = " data.cache=" + path("cache");
  must(train("none", kNetwork + " --dry-run" + kept));
  EXPECT_EQ(remove_decoded(folder_ / "cache"), 1);
  must(train("none", kNetwork + " --dry-run"));
  EXPECT_EQ(remove_decoded(folder_), 0);
  must(train("run", kNetwork + " train.epochs=1" + kept));
  EXPECT_EQ(remove_decoded(folder_ / "cache"), 1);
  const std::string of_run = " --data " + path("bars") + " --run " + path("run") + " --out ";
  must("predict" + of_run + path("p.csv"));
  EXPECT_EQ(remove_decoded(folder_ / "cache"), 1);
  must("evaluate" + of_run + path("e.json"));
  expect_words(must("predict" + of_run + path("p2.csv")), {"24 decoded", "are read from " + path("cache")});
  must(train("plain", kNetwork + " train.epochs=1"));
  EXPECT_EQ(remove_decoded(folder_), 1);
  must("predict --data " + path("bars") + " --run " + path("plain") + " --out " + path("p3.csv"));
  EXPECT_EQ(remove_decoded(folder_), 0);
}

TEST_F(ImagesToolTest, SettingsWithoutEffectAreRefused) {
  must(train("run", " train.epochs=1 train.batch=6 model.channels=4"));  // resnet18
  fs::path decoded;
  for (const auto& entry : fs::directory_iterator(folder_))
    if (entry.path().extension() == ".h5") decoded = entry.path();
  const std::string of_file = "train --data " + decoded.string() + " --out " + path("no");
  expect_error(of_file + " data.image_size=4", {decoded.string(), "data.image_size", "folders of images"});
  expect_error(of_file + " data.labels=foo.csv --dry-run", {decoded.string(), "data.labels"});
  expect_error(train("no", kNetwork + " train.new_layers=fc"), {"train.new_layers=fc", "--weights"});
  expect_error(train("no", kNetwork + " data.inner_fold=1"), {"data.inner_fold=1", "data.inner_folds"});
}

}  // namespace
}  // namespace umbra
