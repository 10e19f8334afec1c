// The table of a folder of images: which files are images, which columns are read, what labels mean to a run. No image is
// decoded here: names are enough.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <map>

#include "data/images/csv.h"
#include "data/images/labels.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"
#include "tests/fixtures/folder_test.h"
#include "tests/fixtures/image_files.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;

// A folder with the images images/1.png to images/4.png.
class ImageTableTest : public FolderTest {
 protected:
  void SetUp() override {
    for (const char* name : {"1.png", "2.png", "3.png", "4.png"}) image(std::string("images/") + name);
  }
  fs::path set() const { return folder_ / "set"; }
  void image(const std::string& name) const { write_bytes(set() / name, "no image, but called like one"); }
  ImageTable read(const std::string& table, const ImageOptions& options = {}) const {
    write_bytes(set() / "t.csv", table);
    return read_image_table(set(), options);
  }
  std::string refusal(const std::string& table, const ImageOptions& options = {}) const {
    try {
      read(table, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  // As predict reads the folder.
  static ImageOptions for_run(RunClasses classes) {
    ImageOptions options;
    options.needs_targets = false;
    options.of_run = std::move(classes);
    return options;
  }
  static std::string notes(const ImageTable& table) {
    std::string all;
    for (const std::string& note : table.notes) all += note + "\n";
    return all;
  }
  static void expect(const std::string& text, const Texts& words) {
    for (const std::string& word : words)
      EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }
};

const RunClasses kKinds{3, {"a", "b", "c"}};

TEST_F(ImageTableTest, ToPredictNoLabelOrSplitIsAnError) {
  ImageTable table = read("id,type\n1,Sa\n2,Sb\n", for_run(kKinds));
  EXPECT_EQ(table.files.size(), 4U);
  EXPECT_TRUE(table.classes.empty());
  expect(notes(table),
         {"t.csv line 2: 'Sa' is none of the classes of the run, a, b and c; no labels are used"});
  table = read("id,label\n1,\n2,\n", for_run(kKinds));
  EXPECT_TRUE(table.classes.empty());
  expect(notes(table), {"column label has no label"});
  table = read("id,label,split\n1,a,fold1\n2,b,fold2\n", for_run(kKinds));
  EXPECT_EQ(table.classes, (Integers{0, 1, -1, -1}));
  EXPECT_TRUE(table.sides.empty());
  expect(notes(table), {"column split has 'fold1'", "no split is used"});
  table = read("id,label\n1,a\n1,b\n2,c\n", for_run(kKinds));
  EXPECT_EQ(table.classes, (Integers{0, 2, -1, -1}));
  expect(notes(table), {"1 row of", "has a row already"});
  EXPECT_TRUE(read("id,type\n1,0.5\n2,0.7\n", for_run({3})).classes.empty());
  EXPECT_TRUE(read("id,type\n1,7\n2,0\n", for_run({3})).classes.empty());
  EXPECT_TRUE(read("id,label\n1,a\n2,b\n", for_run({})).classes.empty());
}

TEST_F(ImageTableTest, ToPredictEveryImageIsASample) {
  ImageTable table = read("id,label,split\n3,a,train\n1,b,val\n", for_run(kKinds));
  EXPECT_EQ(table.files, (Texts{"images/3.png", "images/1.png", "images/2.png", "images/4.png"}));
  EXPECT_EQ(table.classes, (Integers{0, 1, -1, -1}));
  EXPECT_EQ(table.sides, (Integers{0, 1, 2, 2}));
  expect(notes(table), {"2 images have no row in"});
  ImageOptions values = for_run({});
  values.value_columns = {"p"};
  table = read("id,p\n3,0.5\n", values);
  ASSERT_EQ(table.values.size(), 4U);
  EXPECT_TRUE(table.values[0] == 0.5 && std::isnan(table.values[1]) && std::isnan(table.values[3]));
}

TEST_F(ImageTableTest, ToPredictATableThatCannotBeReadIsNotUsed) {
  for (const char* text : {"id,label\n1,a,b\n", "x,y\n7,8\n", "", "id,\"label\n1,a\n"}) {
    const ImageTable table = read(text, for_run(kKinds));
    EXPECT_EQ(table.files.size(), 4U) << text;
    expect(notes(table), {"t.csv", "no table is used"});
  }
  write_bytes(set() / "more.csv", "id\n1\n");
  expect(notes(read("id\n1\n", for_run(kKinds))), {"more.csv and t.csv", "no table is used"});
}

TEST_F(ImageTableTest, ARunReadsTheColumnsThatItFound) {
  const ImageTable found = read("id,category,class_name,subset\n1,7,x,0\n2,9,y,1\n3,7,x,2\n");
  EXPECT_EQ(found.columns.labels, "category");
  EXPECT_EQ(found.columns.names, "class_name");
  EXPECT_EQ(found.columns.split, "subset");
  EXPECT_EQ(found.class_numbers, (Integers{7, 9}));
  ImageOptions options = for_run({2, found.class_names, found.class_numbers});
  options.label_column = found.columns.labels;
  EXPECT_EQ(read("id,label,category\n1,9,7\n2,7,9\n", options).classes, (Integers{0, 1, -1, -1}));
  const ImageTable other = read("id,label\n1,9\n2,7\n", options);
  EXPECT_TRUE(other.classes.empty());
  expect(notes(other), {"no column category"});
  EXPECT_EQ(read("id,label,class\n1,1,x y\n2,2,x y\n3,1,z\n").columns.names, "");  // not one name for each
}

// Numbers are classes of a run only if the run knows what they mean.
TEST_F(ImageTableTest, NumbersAreNotTakenForOtherClasses) {
  const std::string numbers = "id,label\n1,1\n2,2\n3,1\n";
  EXPECT_TRUE(read(numbers, for_run(kKinds)).classes.empty());
  EXPECT_EQ(read(numbers, for_run({3, {"a", "b", "c"}, {1, 2, 3}})).classes, (Integers{0, 1, 0, -1}));
  EXPECT_EQ(read(numbers, for_run({3})).classes, (Integers{1, 2, 1, -1}));
  EXPECT_EQ(read("id,label\n1,2\n2,2\n", for_run({3})).classes, (Integers{2, 2, -1, -1}));
  EXPECT_EQ(read("id,label\n1,7\n2,3\n", for_run({2, {"3", "7"}})).classes, (Integers{1, 0, -1, -1}));
  EXPECT_EQ(read("id,label,class\n1,1,c\n2,2,a\n", for_run(kKinds)).classes, (Integers{2, 0, -1, -1}));
}

TEST_F(ImageTableTest, RowsWithoutALabelAreLeftOut) {
  ImageTable table = read("id,label,split\n1,None,train\n2,,train\n3,NA,val\n4,None,train\n");
  EXPECT_EQ(table.class_names, (Texts{"NA", "None"}));
  EXPECT_EQ(table.files, (Texts{"images/1.png", "images/3.png", "images/4.png"}));
  EXPECT_EQ(table.sides, (Integers{0, 1, 0}));
  expect(notes(table),
         {"1 row has no label in column label; the first is", "t.csv line 3; they are left out"});
  EXPECT_EQ(notes(table).find("have no row"), std::string::npos);
  table = read("id,label\n1,0\n2,NA\n3,1\n4,\n");  // between numbers
  EXPECT_EQ(table.classes, (Integers{0, 1}));
  expect(notes(table), {"2 rows have no label"});
  table = read("id,label\n1,a\n2,\n3,b\n", for_run(kKinds));
  EXPECT_EQ(table.classes, (Integers{0, -1, 1, -1}));
  ImageOptions values;
  values.value_columns = {"p", "q"};
  table = read("id,p,q\n1,0.5,1\n2,nan,1\n3,NaN,1\n4,0.25,0\n", values);
  EXPECT_EQ(table.values, (std::vector<double>{0.5, 1, 0.25, 0}));
  EXPECT_EQ(table.files, (Texts{"images/1.png", "images/4.png"}));
  values.needs_targets = false;
  EXPECT_TRUE(std::isnan(read("id,p,q\n1,0.5,1\n2,NaN,1\n", values).values[2]));
  EXPECT_TRUE(read("id,p,q\n1,0.5,1\n2,many,1\n", values).values.empty());
}

TEST_F(ImageTableTest, TheColumnThatFitsNamesTheImages) {
  EXPECT_EQ(read("objid,asset_id,label\n587,1,a\n588,2,b\n589,9,a\n").files,
            (Texts{"images/1.png", "images/2.png"}));
  EXPECT_EQ(read("objid,label,galaxy\n587,a,2\n588,b,3\n589,a,4\n").files.size(), 3U);
  EXPECT_EQ(read("label,id\n1,2\n2,3\n1,4\n").files.size(), 3U);  // labels that are also called like images
  expect(refusal("objid,label\n587,a\n588,b\n"), {"none of its 2 rows", "column objid", "'587'"});
}

// An image of the same name in another folder may be another galaxy.
TEST_F(ImageTableTest, OnlyNamesWithoutFoldersAreFoundInAnyFolder) {
  for (const char* name : {"test/7.png", "test/8.png", "train/8.png", "train/N 9.Png"})
    image(std::string("images/") + name);
  const std::string first = (set() / "images/1.png").string();
  const ImageTable table =
      read("file,label\n2,a\ntrain/8.png,b\nimages/test/8.png,a\n./7,b\n" + first + ",a\ntrain/7.png,b\n");
  EXPECT_EQ(table.files, (Texts{"images/2.png", "images/train/8.png", "images/test/8.png",
                                "images/test/7.png", "images/1.png"}));
  ASSERT_EQ(table.missing.size(), 1U);
  expect(table.missing[0], {"line 7: there is no image 'train/7.png' (there is images/test/7.png)"});
  expect(refusal("file,label\n8,a\n7,b\n"), {"'8' is images/test/8.png or images/train/8.png"});
  expect(refusal("file,label\n/elsewhere/1.png,a\n/elsewhere/2.png,b\n"),
         {"none of its 2 rows", "'/elsewhere/1.png' (there is images/1.png)"});
  expect(refusal("file,label\nN 9.PNG,a\nN 9.PNG,b\n"), {"'N 9.PNG' (there is images/train/N 9.Png)"});
  expect(refusal("file,label\ntest\\7.png,a\ntest\\8.png,b\n"), {"folders are separated by /"});
}

TEST_F(ImageTableTest, NamesAreUtf8) {
  EXPECT_EQ(read("id,label\n1,\xc3\xa9\n2,a\n").class_names, (Texts{"a", "\xc3\xa9"}));
  expect(refusal("id,label,note\n1,a,\n2,b,\xe9\n"),
         {"t.csv line 3: it is not UTF-8", "iconv -f latin1 -t utf-8 " + (set() / "t.csv").string()});
  expect(refusal("id,label,not\xe9\n1,a,\n2,b,\n"), {"the names of its columns are not UTF-8"});
  for (const char* wrong : {"\xc0\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(wrong)) << wrong;
  EXPECT_TRUE(is_utf8("\xe2\x82\xac \xf0\x9f\x8c\x8c"));
  image("images/caf\xe9.png");
  expect(refusal("id,label\n1,a\n2,b\n"), {"images/caf?.png: the name is not UTF-8"});
}

TEST_F(ImageTableTest, TablesAreReadHoweverTheyAreWritten) {
  const Texts files = {"images/1.png", "images/3.png", "images/4.png"};
  for (const char* text : {
           "# table of galaxies, made 2020\n#\nid,label\n1,a b\n3,c\n# half\n4,a b\n",
           "\xef\xbb\xbfid;label\r\n1;a b\r\n3;c\r\n4;a b\r\n",
           "id\tlabel\tnote\n1\ta b\t\n3\tc\tx y\n4\ta b\t\n",
           "# id,label\n1.png,a b\n3.png,c\n4.png,a b\n",
           "\"id\",\"label\"\n\"1\",\"a b\"\n\"3\",c\n4,a b\n",
       }) {
    const ImageTable table = read(text);
    EXPECT_EQ(table.files, files) << text;
    EXPECT_EQ(table.class_names, (Texts{"a b", "c"})) << text;
    EXPECT_EQ(table.classes, (Integers{0, 1, 0})) << text;
  }
  EXPECT_EQ(read("id,label\n1,\"a \"\"b\"\"\"\n3,c\n4,c\n").class_names, (Texts{"a \"b\"", "c"}));
  expect(refusal("id,label\n1,\"a\nb\"\n3,c\n"), {"t.csv line 2", "a quote is opened and not closed"});
  ImageOptions options;
  options.label_column = "c2";
  const ImageTable nameless = read("1,7\n3,8\n4,7\n", options);
  EXPECT_EQ(nameless.files, files);
  expect(notes(nameless), {"the file does not name its columns; they are called c1 to c2"});
}

TEST_F(ImageTableTest, HiddenFilesAreNeitherImagesNorTables) {
  image("images/._1.png");
  image("images/.ipynb_checkpoints/1-checkpoint.png");
  write_bytes(set() / "._t.csv", "Mac OS X");
  EXPECT_EQ(read("id,label\n1,a\n2,b\n3,a\n4,b\n").files.size(), 4U);
  fs::remove(set() / "t.csv");
  EXPECT_EQ(read_image_table(set(), for_run({})).files.size(), 4U);
  const fs::path hidden = folder_ / "hidden";
  write_bytes(hidden / "._1.png", "");
  write_bytes(hidden / ".thumbnails/1.png", "");
  EXPECT_FALSE(is_image_folder(hidden));
}

TEST_F(ImageTableTest, LinksToWhatIsReadAnywayAreNotFollowed) {
  image("images/deep/5.png");
  write_bytes(folder_ / "other/6.png", "");
  fs::create_directory_symlink(".", set() / "images/self");
  fs::create_directory_symlink("..", set() / "images/up");
  fs::create_directory_symlink("deep", set() / "images/again");
  fs::create_directory_symlink(folder_ / "other", set() / "images/other");
  fs::create_directory_symlink(folder_ / "other", set() / "images/second");
  const ImageTable table = read("id,label\n5,a\n6,b\n1,a\n");
  EXPECT_EQ(table.files, (Texts{"images/deep/5.png", "images/other/6.png", "images/1.png"}));
  expect(notes(table),
         {"images/self: this link to a folder that is read anyway", "images/again: this link",
          "images/second: this link", "images/up: this link to a folder above is not followed"});
}

TEST_F(ImageTableTest, ImagesMayBeInAnotherFolder) {
  const fs::path before = fs::current_path();
  fs::create_directories(folder_ / "tables/part");
  write_bytes(folder_ / "tables/t.csv", "id,label\n1,a\n2,b\n3,a\n");
  for (const char* name : {"1.png", "2.png"}) write_bytes(folder_ / "tables/part" / name, "");
  fs::current_path(folder_);
  ImageOptions options;
  std::map<std::string, Texts> found;
  for (const std::string& images : {(set() / "images").string(), std::string("../set/images"),
                                    fs::absolute("tables/part").string(), std::string("part")}) {
    options.images = images;
    for (const ImageTable& table :
         {read_image_table("tables", options), read_image_table(folder_ / "tables", options)}) {
      found[images] = table.files;
      for (const std::string& file : table.files) EXPECT_TRUE(fs::exists("tables" / fs::path(file))) << file;
    }
  }
  fs::current_path(before);
  EXPECT_EQ(found[(set() / "images").string()].at(1), (set() / "images/2.png").string());
  EXPECT_EQ(found["../set/images"].at(1), "../set/images/2.png");
  EXPECT_EQ(found["part"], (Texts{"part/1.png", "part/2.png"}));
}

// Files of umbra next to the images are no tables of labels, unless they are named.
TEST_F(ImageTableTest, FilesOfUmbraAreNotTheTable) {
  write_bytes(set() / "p.csv", "row,file,predicted,name\n0,images/1.png,0,x\n1,images/2.png,1,y\n");
  write_bytes(set() / "metrics.csv", "epoch,step,split,loss,error,lr,grad_norm,seconds\n");
  const ImageTable table = read("id,label\n1,a\n2,b\n3,a\n");
  EXPECT_EQ(table.class_names, (Texts{"a", "b"}));
  EXPECT_EQ(table.columns.table, "t.csv");
  EXPECT_EQ(table.columns.files, "id");
  ImageOptions options;
  options.labels = "p.csv";
  options.label_column = "name";
  EXPECT_EQ(read_image_table(set(), options).class_names, (Texts{"x", "y"}));
}

TEST_F(ImageTableTest, ImagesAndTablesBelongToAFolder) {
  read("id,label\n1,a\n2,b\n3,a\n");
  EXPECT_TRUE(is_in_image_folder(set() / "t.csv"));
  EXPECT_TRUE(is_in_image_folder(set() / "images/1.png"));
  write_bytes(folder_ / "catalog.csv", "x,y,z,vpeak\n");
  EXPECT_FALSE(is_in_image_folder(folder_ / "catalog.csv"));
  EXPECT_FALSE(is_in_image_folder(set()));
  for (const char* name : {"E0/1.png", "Sb/2.png"}) write_bytes(folder_ / "classes" / name, "");
  EXPECT_TRUE(is_image_folder(folder_ / "classes"));
}

TEST_F(ImageTableTest, ColumnsOfValuesAreNamedOnce) {
  ImageOptions options;
  options.value_columns = {"p", "P"};
  expect(refusal("id,p\n1,0.5\n2,0.25\n", options), {"data.value_columns", "column p twice"});
}

TEST_F(ImageTableTest, FoldersPerClassGetAHint) {
  expect(
      [&] {
        try {
          read_image_table(set(), {});
        } catch (const Error& error) {
          return std::string(error.what());
        }
        return read_image_table(set(), {}).why_no_targets;
      }(),
      {"no CSV file", "docs/images.md", "folders per class"});
}

// 300 columns of which two are used: memory does not grow with the others.
TEST_F(ImageTableTest, OnlyTheColumnsThatAreUsedAreKept) {
  if (!std::string_view(UMBRA_SANITIZER).empty()) GTEST_SKIP() << "a sanitizer keeps memory that was freed";
  const auto peak = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss >> 10;  // MB
  };
  constexpr int kRows = 5'000, kColumns = 300;
  std::string text;
  for (int row = 0; row <= kRows; ++row)
    for (int field = 0; field < kColumns; ++field)
      text += concat(row == 0 ? "column" : "", field + row * kColumns, field == kColumns - 1 ? '\n' : ',');
  write_bytes(set() / "t.csv", text);
  const auto before = peak();
  TextTableRows table(set() / "t.csv");
  table.read({299, 7});
  EXPECT_LT(peak() - before, 10);  // 1.5 million texts take 48 MB
  EXPECT_EQ(table.size(), 5'000U);
  EXPECT_EQ(table.at(4'999, 7), "1500007");
  EXPECT_EQ(table.at(10, 299), "3599");
}

}  // namespace
}  // namespace umbra
