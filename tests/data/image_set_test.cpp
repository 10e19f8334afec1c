// Folders of images as data sets: which columns of the table are read, what is refused, and when images are decoded.
#include "data/images/image_set.h"

#include <gtest/gtest.h>
#include <omp.h>

#include "data/images/decode_all.h"
#include "data/images/image.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/folder_test.h"
#include "tests/fixtures/image_files.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

class ImageSetTest : public FolderTest {
 protected:
  void SetUp() override {
    if (!can_read_images()) GTEST_SKIP() << "a build without libjpeg-turbo and libpng does not read images";
    make_bars(bars());
  }
  fs::path bars() const { return folder_ / "bars"; }
  void table(const std::string& text) { write_bytes(bars() / "labels.csv", text); }
  ImageSet open(const ImageOptions& options = {}) const {
    return open_image_set(bars(), options, {folder_ / "cache", true});
  }
  std::string refusal(const ImageOptions& options = {}) const {
    try {
      open(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  void expect_refusal(const ImageOptions& options, std::initializer_list<const char*> words) const {
    const std::string text = refusal(options);
    for (const char* word : words) EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }
};

TEST_F(ImageSetTest, IsADataSet) {
  const ImageSet set = open();
  const Hdf5File file = Hdf5File::open(set.file);
  EXPECT_EQ(file.describe("inputs").shape, (Shape{24, 3, 16, 16}));
  EXPECT_EQ(file.describe("inputs").item_size, 1U);
  const std::vector<std::uint8_t> inputs = file.read<std::uint8_t>("inputs");
  const Image second = bar(16, 1, 1);
  for (std::size_t i = 0; i < 256; ++i)
    EXPECT_EQ(inputs[768 + 256 + i], second.pixels[3 * i + 1]) << i;  // green
  const std::vector<std::int64_t> labels = file.read<std::int64_t>("targets");
  EXPECT_EQ(std::vector<std::int64_t>(labels.begin(), labels.begin() + 4),
            (std::vector<std::int64_t>{0, 1, 2, 0}));
  EXPECT_EQ(file.attribute_texts("targets", "classes"), (std::vector<std::string>{"left", "top", "right"}));
  EXPECT_EQ(file.read<std::int64_t>("split")[3], 1);
  EXPECT_EQ(file.read_texts("files")[23], "images/1023.png");
}

TEST_F(ImageSetTest, ThreadsDoNotChangeIt) {
  const int usual = omp_get_max_threads();
  std::vector<std::vector<std::uint8_t>> all;
  for (const int threads : {1, 3}) {
    omp_set_num_threads(threads);
    const ImageSet set = open_image_set(bars(), {}, {});
    all.push_back(Hdf5File::open(set.file).read<std::uint8_t>("inputs"));
  }
  omp_set_num_threads(usual);
  EXPECT_EQ(all[0], all[1]);
}

TEST_F(ImageSetTest, IsDecodedOnceUntilSomethingChanges) {
  const fs::path first = open().file;
  const auto written = fs::last_write_time(first);
  EXPECT_EQ(open().file, first);
  EXPECT_EQ(fs::last_write_time(first), written);
  EXPECT_EQ(open_image_set(bars() / "", {}, {folder_ / "cache", false}).file, first);
  ImageOptions smaller;
  smaller.size.number = 8;
  EXPECT_NE(open(smaller).file, first);
  write_bytes(bars() / "images/1003.png", png_file(bar(16, 3, 3)));
  EXPECT_NE(open().file, first);
}

TEST_F(ImageSetTest, WithoutACacheTheFileIsTemporary) {
  fs::path file;
  {
    const ImageSet set = open_image_set(bars(), {}, {"", false, folder_});
    file = set.file;
    EXPECT_TRUE(fs::exists(file));
    EXPECT_EQ(file.parent_path(), folder_);
  }
  EXPECT_FALSE(fs::exists(file));
  const ImageSet set = open_image_set(bars(), {}, {"", false, folder_});
  remove_temporaries();  // a signal
  EXPECT_FALSE(fs::exists(set.file));
}

TEST_F(ImageSetTest, AFolderOfPlotsIsNoImageFolder) {
  EXPECT_TRUE(is_image_folder(bars()));
  write_bytes(folder_ / "sim/plots/0.png", png_file(bar(16, 0, 0)));
  EXPECT_FALSE(is_image_folder(folder_ / "sim"));
  write_bytes(folder_ / "sim/metrics.csv", "epoch,step,split,loss,error,lr,grad_norm,seconds\n");
  EXPECT_FALSE(is_image_folder(folder_ / "sim"));
  write_bytes(folder_ / "sim/table.csv", "file,label\nplots/0.png,0\n");
  EXPECT_TRUE(is_image_folder(folder_ / "sim"));
}

TEST_F(ImageSetTest, AnySpellingOfTheFolderFindsTheFile) {
  fs::remove(bars() / "images/1011.png");
  ImageOptions skip;
  skip.broken = "skip";
  EXPECT_EQ(open_image_set(fs::relative(bars()), skip, {folder_ / "cache", true}).file, open(skip).file);
}

TEST_F(ImageSetTest, FilesOfOtherSettingsAreNamed) {
  const fs::path first = open().file;
  ImageOptions smaller;
  smaller.size.number = 8;
  EXPECT_EQ(open(smaller).notes.back(),
            first.string() + ": of other settings or an earlier state of this folder; may be removed");
  EXPECT_TRUE(open(smaller).notes.back().find("are read from") != std::string::npos);
}

// What data.broken_images=skip leaves out is kept: it must not depend on the disk or the memory of one day.
TEST_F(ImageSetTest, OnlyDamagedFilesAreLeftOut) {
  write_bytes(bars() / "damaged.png", "no image");
  const ImageFrame frame{16, 16, 3, 0, false};
  Hdf5File out = Hdf5File::create(folder_ / "out.h5");
  EXPECT_EQ(decode_all(bars(), {"images/1000.png", "damaged.png"}, frame, out, {}).size(), 1U);
  Hdf5File other = Hdf5File::create(folder_ / "other.h5");
  try {
    decode_all(bars(), {"images/1000.png", "gone.png"}, frame, other, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("gone.png: it cannot be opened"), std::string::npos)
        << error.what();
  }
}

TEST_F(ImageSetTest, BrokenImagesAreNamedAndCounted) {
  write_bytes(bars() / "images/1003.png", png_file(bar(16, 0, 3)).substr(0, 60));
  write_bytes(bars() / "images/1009.png", "");
  fs::remove(bars() / "images/1011.png");
  expect_refusal({}, {"3 of 24 images", "line 13: there is no image '1011'", "1003.png",
                      "1009.png: it is empty", "data.broken_images=skip"});
  ImageOptions skip;
  skip.broken = "skip";
  const ImageSet set = open(skip);
  const Hdf5File file = Hdf5File::open(set.file);
  EXPECT_EQ(file.describe("inputs").shape[0], 21);
  EXPECT_EQ(file.read_texts("files")[3], "images/1004.png");
  EXPECT_EQ(file.read<std::int64_t>("targets")[3], 1);
  std::string notes;
  for (const std::string& note : open(skip).notes) notes += note + "\n";
  EXPECT_NE(notes.find("3 of 24 images are left out: "), std::string::npos) << notes;
  EXPECT_NE(notes.find("1009.png"), std::string::npos) << notes;
}

TEST_F(ImageSetTest, OtherSizesAreAnErrorEvenIfBrokenImagesAreSkipped) {
  write_bytes(bars() / "images/1003.png", png_file(bar(12, 0, 3)));
  ImageOptions skip;
  skip.broken = "skip";
  expect_refusal(skip,
                 {"1003.png: it has 12 x 12 pixels, but the first image has 16 x 16", "data.image_size"});
  skip.size.number = 8;
  EXPECT_EQ(refusal(skip), "");
}

TEST_F(ImageSetTest, TextsAreClassesInAlphabeticalOrder) {
  table("Image;Type\nimages/1001.png;top\n1000.png;left\n1002;right\n1003;left\n");
  const ImageSet set = open();
  const Hdf5File file = Hdf5File::open(set.file);
  EXPECT_EQ(file.attribute_texts("targets", "classes"), (std::vector<std::string>{"left", "right", "top"}));
  EXPECT_EQ(file.read<std::int64_t>("targets"), (std::vector<std::int64_t>{2, 0, 1, 0}));
  EXPECT_FALSE(file.has("split"));
  EXPECT_NE(set.notes.at(1).find("20 images have no row"), std::string::npos) << set.notes.at(1);
}

TEST_F(ImageSetTest, NumbersWithGapsAreNames) {
  table("id,class\n1000,3\n1001,7\n1002,3\n1003,7\n");
  const ImageSet set = open();
  const Hdf5File file = Hdf5File::open(set.file);
  EXPECT_EQ(file.attribute_texts("targets", "classes"), (std::vector<std::string>{"3", "7"}));
  EXPECT_EQ(file.read<std::int64_t>("targets"), (std::vector<std::int64_t>{0, 1, 0, 1}));
}

TEST_F(ImageSetTest, SettingsChooseColumns) {
  table("galaxy,smooth,disk,who\n1000,0.25,0.75,train\n1001,1,0,val\n1002,0.5,0.5,test\n");
  expect_refusal({},
                 {"labels.csv", "data.label_column", "galaxy, smooth, disk, who"});  // galaxy names images
  ImageOptions options;
  options.file_column = "galaxi";
  expect_refusal(options, {"no column 'galaxi'", "data.file_column", "did you mean 'galaxy'"});
  options.file_column = "Galaxy";
  options.value_columns = {"smooth", "disk"};
  options.split_column = "who";
  const ImageSet set = open(options);
  const Hdf5File file = Hdf5File::open(set.file);
  EXPECT_EQ(file.read<double>("targets"), (std::vector<double>{0.25, 0.75, 1, 0, 0.5, 0.5}));
  EXPECT_EQ(file.attribute_texts("targets", "target_names"), (std::vector<std::string>{"smooth", "disk"}));
  EXPECT_EQ(file.read<std::int64_t>("split"), (std::vector<std::int64_t>{0, 1, 2}));
}

TEST_F(ImageSetTest, WrongTablesAreRefused) {
  table("id,label\n1000,0\n1000,1\n");
  expect_refusal({}, {"line 3", "'1000' has a row already", "line 2"});
  table("id,label,split\n1000,0,train\n1001,1,later\n1002,0,val\n");
  expect_refusal({}, {"line 3: column split has 'later'", "train, val or test"});
  table("id,label\n1000,0.5\n1001,0.25\n1002,0.125\n");
  expect_refusal({}, {"column label has numbers", "data.value_columns=label"});
  table("id,label\n1000,a\n1001,b\n1002,c\n1003,d\n1004,e\n");
  expect_refusal({}, {"5 different labels in 5 rows", "data.label_column"});
  table("id,label\n5,0\n6,1\n");
  expect_refusal({}, {"none of its 2 rows has an image", "'5'", "data.file_column"});
  table("a,b\nx,y\n");
  expect_refusal({}, {"labels.csv", "data.file_column", "a, b"});
  table("id,label\n1000,0,1\n");
  expect_refusal({}, {"line 2", "3 fields"});
  write_bytes(bars() / "more.csv", "id,label\n");
  expect_refusal({}, {"labels.csv and more.csv", "data.labels"});
}

TEST_F(ImageSetTest, WithoutATableAllImagesAreSamples) {
  fs::remove(bars() / "labels.csv");
  expect_refusal({}, {"bars", "no CSV file with labels"});
  ImageOptions options;
  options.needs_targets = false;
  EXPECT_EQ(Hdf5File::open(open(options).file).describe("inputs").shape[0], 24);
}

TEST_F(ImageSetTest, PredictionsNeedNothingThatTheSettingsName) {
  table("name,kind\n1001,top\n1000,left\n");
  ImageOptions options;
  options.file_column = "id";
  options.label_column = "kind";
  options.of_run = {3, {"right", "top", "left"}};
  options.needs_targets = false;
  const ImageSet set = open(options);
  const std::vector<std::int64_t> labels = Hdf5File::open(set.file).read<std::int64_t>("targets");
  ASSERT_EQ(labels.size(), 24U);
  EXPECT_EQ(std::vector<std::int64_t>(labels.begin(), labels.begin() + 3),
            (std::vector<std::int64_t>{1, 2, -1}));
  options.label_column = "label";
  EXPECT_FALSE(Hdf5File::open(open(options).file).has("targets"));
}

}  // namespace
}  // namespace umbra
