// HDF5 files row by row, unsigned bytes, lists of texts, and the offsets of numbers in a file.
#include "engine/io/hdf5_rows.h"

#include <hdf5.h>

#include <cstring>
#include <fstream>
#include <numeric>

#include "engine/io/checkpoint.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/data_files.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

using Hdf5RowsTest = FileTest;
using Texts = std::vector<std::string>;

std::vector<double> ramp(std::size_t count, double from = 0) {
  std::vector<double> numbers(count);
  std::iota(numbers.begin(), numbers.end(), from);
  return numbers;
}

TEST_F(Hdf5RowsTest, RowsWrittenInPiecesMakeTheBytesOfTheWhole) {
  const std::vector<double> all = ramp(std::size_t{700} * 501);  // 2.8 MB in chunks of 1 MiB at most
  const auto write = [&](const std::string& name, std::size_t rows) {
    Hdf5File out = Hdf5File::create(path(name));
    out.reserve<double>("g/data", {700, 501});
    for (std::size_t first = 0; first < 700; first += rows) {
      const std::size_t count = std::min(rows, 700 - first);
      out.write_rows<double>("g/data", static_cast<std::int64_t>(first),
                             std::span(all).subspan(first * 501, count * 501));
    }
    out.commit();
  };
  Hdf5File whole = Hdf5File::create(path("whole.h5"));
  whole.write<double>("g/data", all, {700, 501});
  whole.commit();
  write("chunks.h5", 261);
  write("pieces.h5", 64);
  for (const char* name : {"whole.h5", "chunks.h5", "pieces.h5"}) {
    const Hdf5File in = Hdf5File::open(path(name));
    EXPECT_EQ(in.read<double>("g/data", {700, 501}), all) << name;
    EXPECT_EQ(in.describe("g/data").chunk_rows, 261) << name;
  }
  EXPECT_EQ(bytes_of(path("whole.h5")).size(), bytes_of(path("pieces.h5")).size());
}

TEST_F(Hdf5RowsTest, RowsThatDoNotFitAreASentence) {
  Hdf5File out = Hdf5File::create(path("a.h5"));
  out.reserve<float>("data", {3, 2});
  const std::vector<float> numbers{1, 2, 3, 4};
  out.write_rows<float>("data", 1, numbers);
  expect_message([&] { out.write_rows<float>("data", 2, numbers); },
                 {"a.h5", "data", "4 numbers from row 2"});
  expect_message([&] { out.write_rows<float>("data", -1, numbers); }, {"data", "row -1"});
  expect_message([&] { out.write_rows<float>("data", 0, std::span(numbers).first(3)); }, {"3 numbers"});
  expect_message([&] { out.write_rows<float>("none", 0, numbers); }, {"none", "no such object"});
  expect_message([&] { out.reserve<float>("data", {3, 2}); }, {"data", "already"});
  out.commit();
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  EXPECT_EQ(in.read<float>("data", {3, 2}), (std::vector<float>{0, 0, 1, 2, 3, 4}));  // never written: zeros
}

TEST_F(Hdf5RowsTest, BytesAreUnsigned) {
  {
    DataFileMaker(path("a.h5"))
        .add("u8", H5T_STD_U8LE, {4}, {0, 127, 128, 255})
        .add("i8", H5T_STD_I8LE, {2}, {5, -1})
        .add("i16", H5T_STD_I16LE, {2}, {5, 256});
  }
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  EXPECT_EQ(in.read<std::uint8_t>("u8"), (std::vector<std::uint8_t>{0, 127, 128, 255}));
  EXPECT_EQ(in.read<float>("u8"), (std::vector<float>{0, 127, 128, 255}));
  expect_message([&] { in.read<std::uint8_t>("i8"); }, {"i8", "do not fit into u8"});
  expect_message([&] { in.read<std::uint8_t>("i16"); }, {"i16", "do not fit into u8"});
  Hdf5File out = Hdf5File::create(path("b.h5"));
  out.write<std::uint8_t>("u8", {7, 200});
  out.commit();
  EXPECT_EQ(Hdf5File::open(path("b.h5")).describe("u8").item_size, 1U);
  EXPECT_EQ(Hdf5File::open(path("b.h5")).read<std::uint8_t>("u8"), (std::vector<std::uint8_t>{7, 200}));
}

// The file contains the numbers at offset().
TEST_F(Hdf5RowsTest, NumbersLieWhereTheyAreSaidTo) {
  const std::vector<double> numbers = ramp(30, 1);
  for (const hsize_t user_block : {0, 512}) {
    {
      DataFileMaker(path("a.h5"), user_block)
          .add("f32", H5T_IEEE_F32LE, {10, 3}, numbers)
          .add("big_endian", H5T_IEEE_F32BE, {10, 3}, numbers)
          .add("packed", H5T_IEEE_F32LE, {10, 3}, numbers, 4)
          .add("never_written", H5T_IEEE_F32LE, {10, 3}, {});
    }
    const Hdf5File in = Hdf5File::open(path("a.h5"));
    const auto offset = in.offset<float>("f32");
    ASSERT_TRUE(offset.has_value());
    const std::vector<char> bytes = bytes_of(path("a.h5"));
    for (std::size_t i = 0; i < 30; ++i) {
      float number = 0;
      std::memcpy(&number, bytes.data() + *offset + i * sizeof number, sizeof number);
      EXPECT_EQ(number, static_cast<float>(numbers[i]));
    }
    EXPECT_FALSE(in.offset<double>("f32").has_value());
    for (const char* other : {"big_endian", "packed", "never_written"})
      EXPECT_FALSE(in.offset<float>(other).has_value()) << other;
    EXPECT_EQ(in.describe("f32").chunk_rows, 0);
    EXPECT_EQ(in.describe("packed").chunk_rows, 4);
  }
}

// With every size of the cache: none, all of the dataset, or less than one chunk.
TEST_F(Hdf5RowsTest, RowsOfAnOpenDatasetAreThoseOfTheFile) {
  const std::vector<double> numbers = ramp(std::size_t{50} * 12);
  {
    DataFileMaker(path("a.h5"))
        .add("whole", H5T_IEEE_F32LE, {50, 3, 4}, numbers)
        .add("packed", H5T_IEEE_F64LE, {50, 3, 4}, numbers, 7)
        .add("never_written", H5T_IEEE_F32LE, {50, 3, 4}, {}, 7)
        .add("one", H5T_IEEE_F32LE, {}, {1});
  }
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  for (const char* name : {"whole", "packed", "never_written"})
    for (const std::size_t cache : {std::size_t{0}, std::size_t{1}, Hdf5Rows::kCache}) {
      const Hdf5Rows rows = Hdf5Rows::open<float>(in, name, cache);
      EXPECT_EQ(rows.shape(), (Shape{50, 3, 4}));
      for (const auto& [first, count] :
           {std::pair(0, 50), {49, 1}, {3, 1}, {6, 2}, {3, 1}, {5, 20}, {50, 0}}) {
        std::vector<float> read(static_cast<std::size_t>(count) * 12, -1), expected(read.size());
        rows.read<float>(first, read);
        for (std::size_t i = 0; i < expected.size(); ++i)
          expected[i] =
              std::string(name) == "never_written" ? 0 : static_cast<float>(first * 12 + static_cast<int>(i));
        EXPECT_EQ(read, expected) << name << " " << cache << " " << first << " " << count;
      }
    }
  EXPECT_EQ(Hdf5Rows::open<float>(in, "packed").shape(),
            in.describe("packed").shape);  // the file is still open
  const Hdf5Rows rows = Hdf5Rows::open<float>(in, "packed");
  std::vector<float> row(12);
  std::vector<double> wider(12);
  expect_message([&] { rows.read<float>(50, row); },
                 {"a.h5", "packed", "[50, 3, 4]", "12 numbers from row 50"});
  expect_message([&] { rows.read<float>(-1, row); }, {"packed", "row -1"});
  expect_message([&] { rows.read<float>(0, std::span(row).first(11)); }, {"packed", "11 numbers"});
  expect_message([&] { rows.read<double>(0, wider); }, {"packed", "was opened with another type"});
  expect_message([&] { Hdf5Rows::open<float>(in, "one"); }, {"one", "rows of numbers are expected"});
  expect_message([&] { Hdf5Rows::open<float>(in, "none"); }, {"none", "no such object"});
}

// A damaged chunk, or a file that was truncated after it was opened.
TEST_F(Hdf5RowsTest, RowsThatCannotBeReadAreNamed) {
  std::vector<double> numbers = ramp(std::size_t{40} * 100);
  numbers[17 * 100] = 1e300;  // no f32
  { DataFileMaker(path("a.h5")).add("data", H5T_IEEE_F64LE, {40, 100}, numbers, 5); }
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  const Hdf5Rows rows = Hdf5Rows::open<float>(in, "data");
  std::vector<float> row(100), piece(1000);
  rows.read<float>(16, row);
  expect_message([&] { rows.read<float>(17, row); }, {"a.h5", "data", "row 17", "do not fit into f32"});
  expect_message([&] { rows.read<float>(10, piece); }, {"a.h5", "data", "rows 10 to 19"});
  std::filesystem::resize_file(path("a.h5"), std::filesystem::file_size(path("a.h5")) / 2);
  expect_message([&] { rows.read<float>(30, row); }, {"a.h5", "data", "row 30", "cut short"});
}

// More than 100'000 chunks, whose index takes long to read.
TEST_F(Hdf5RowsTest, ManyChunksAreNoDamage) {
  std::vector<std::int32_t> numbers(120000);
  std::iota(numbers.begin(), numbers.end(), 0);
  const hsize_t extent = numbers.size(), chunk = 1;
  const hid_t file = H5Fcreate(path("a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(1, &extent, nullptr), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk);
  const hid_t dataset = H5Dcreate2(file, "data", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()), 0);
  H5Dclose(dataset), H5Pclose(creation), H5Sclose(space), H5Fclose(file);
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  const Hdf5Rows rows = Hdf5Rows::open<std::int32_t>(in, "data");
  std::vector<std::int32_t> row(1);
  for (std::int32_t i = 0; i < 2000; ++i) {
    const std::int32_t at = i * 7919 % 120000;
    rows.read<std::int32_t>(at, row);
    ASSERT_EQ(row[0], at);
  }
}

TEST_F(Hdf5RowsTest, ListsOfTextsComeBack) {
  const Texts texts{"cat", "", "d\xc3\xb6g, \"wild\""};
  Texts many;
  for (int i = 0; i < 3000; ++i) many.push_back("class number " + std::to_string(i));  // more than 64 kB
  Hdf5File out = Hdf5File::create(path("a.h5"));
  out.write<float>("data", {1});
  out.set_attribute("data", "names", texts);
  out.set_attribute("data", "many", many);
  out.set_attribute("data", "one", "alone");
  out.set_attribute("data", "number", 3);
  out.commit();
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  EXPECT_EQ(in.attribute_texts("data", "names"), texts);
  EXPECT_EQ(in.attribute_texts("data", "many"), many);
  EXPECT_EQ(in.attribute_texts("data", "one"), Texts{"alone"});
  EXPECT_EQ(in.describe_attribute("data", "names").kind, Hdf5Kind::kString);
  EXPECT_EQ(in.describe_attribute("data", "names").shape, Shape{3});
  EXPECT_EQ(in.describe_attribute("data", "number").kind, Hdf5Kind::kInteger);
  expect_message([&] { in.attribute_texts("data", "number"); }, {"a.h5", "number", "list of texts"});
  expect_message([&] { in.attribute_text("data", "names"); }, {"names", "one text"});
}

TEST_F(Hdf5RowsTest, ListsOfTextsOfOtherPrograms) {
  {
    DataFileMaker maker(path("a.h5"));
    maker.add("data", H5T_IEEE_F32LE, {1}, {1});
    maker.texts("data", "names", {"cat", "", "dog"});
  }
  const hid_t file = H5Fopen(path("a.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hsize_t count = 2;
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t full = H5Tcopy(H5T_C_S1), blanks = H5Tcopy(H5T_FORTRAN_S1);
  H5Tset_size(full, 3);
  H5Tset_strpad(full, H5T_STR_NULLPAD);
  H5Tset_size(blanks, 4);
  for (const auto& [key, type, value] :
       {std::tuple("full", full, "catdog"), std::tuple("blanks", blanks, "a   b c ")}) {
    const hid_t attribute = H5Acreate2(file, key, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, value);
    H5Aclose(attribute);
  }
  H5Tclose(full), H5Tclose(blanks), H5Sclose(space), H5Fclose(file);
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  EXPECT_EQ(in.attribute_texts("data", "names"), (Texts{"cat", "", "dog"}));
  EXPECT_EQ(in.attribute_texts("/", "full"), (Texts{"cat", "dog"}));
  EXPECT_EQ(in.attribute_texts("/", "blanks"), (Texts{"a", "b c"}));
}

TEST_F(Hdf5RowsTest, NamesTravelInCheckpointsThatHaveSome) {
  CheckpointInfo info;
  info.config = "a = 1";
  write_checkpoint(path("none.h5"), info, {}, {});
  info.names = {"cat", "dog"};
  write_checkpoint(path("names.h5"), info, {}, {});
  EXPECT_TRUE(read_checkpoint_info(path("none.h5")).names.empty());
  EXPECT_FALSE(Hdf5File::open(path("none.h5")).has_attribute("/", "names"));
  EXPECT_EQ(read_checkpoint_info(path("names.h5")).names, (Texts{"cat", "dog"}));
}

}  // namespace
}  // namespace umbra
