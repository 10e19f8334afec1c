// Checkpoints are read in parts: the same numbers in every layout, rounded where the network stores bf16. Moments of
// weights that only meet padding are not stored.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/base/philox.h"
#include "engine/io/checkpoint.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

class CheckpointPartsTest : public testing::Test {
 protected:
  CheckpointPartsTest()
      : file_(fs::temp_directory_path() / ("umbra_parts_" + std::to_string(::getpid()) + ".h5")) {}
  ~CheckpointPartsTest() override { fs::remove(file_); }

  // Rows of 40 x 27 numbers: 700 of them are three parts.
  static Tensor weights() {
    const Tensor tensor = allocate_tensor({}, {700, 40, 3, 3, 3}, DType::kF32);
    const Rng rng(3, Purpose::kTest);
    const std::span<float> values = tensor.values<float>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(rng.uniform(i)) - 0.5f;
    return tensor;
  }

  fs::path file_;
  Stream stream_{Device{}};
};

TEST_F(CheckpointPartsTest, KeepNumbersAndRoundThemWhereTheyAreHeldAsBf16) {
  const Tensor saved = weights();
  write_checkpoint(file_, {}, {{"w", saved}}, {});
  const std::vector<double> want = to_host(saved, stream_);
  const Layout live = Layout::batch_last({13, 2, 26});
  const Tensor plain = allocate_tensor({}, saved.shape(), DType::kF32);
  const Tensor some = allocate_tensor({}, saved.shape(), DType::kF32, live);
  const Tensor rounded = allocate_tensor({}, saved.shape(), DType::kBf16, live);
  for (const Tensor& tensor : {plain, some, rounded}) load_checkpoint(file_, {{"w", tensor}}, {});
  const std::vector<double> all = to_host(plain, stream_), few = to_host(some, stream_),
                            coarse = to_host(rounded, stream_);
  EXPECT_EQ(all, want);
  for (std::size_t i = 0; i < want.size(); ++i) {
    const bool held = i % 27 == 13 || i % 27 == 2 || i % 27 == 26;
    ASSERT_EQ(few[i], held ? want[i] : 0) << i;
    ASSERT_EQ(coarse[i], held ? round_to_bf16(want[i]) : 0) << i;
  }
}

TEST_F(CheckpointPartsTest, NumbersHeldAsBf16AreNotSaved) {
  const Tensor tensor = allocate_tensor({}, {2, 3}, DType::kBf16);
  EXPECT_THROW(write_checkpoint(file_, {}, {{"w", tensor}}, {}), Error);
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(CheckpointPartsTest, RowsOfADatasetAreItsNumbers) {
  const Tensor saved = weights();
  write_checkpoint(file_, {}, {{"w", saved}}, {});
  const Hdf5File in = Hdf5File::open(file_);
  const std::size_t row = 40 * 27;
  std::vector<float> rows(3 * row);
  for (const std::size_t first : {0UL, 241UL, 697UL}) {
    in.read_rows<float>("model/w", static_cast<std::int64_t>(first), rows);
    EXPECT_TRUE(std::equal(rows.begin(), rows.end(), saved.values<float>().begin() + first * row)) << first;
  }
  EXPECT_THROW(in.read_rows<float>("model/w", 698, rows), Error);
  EXPECT_THROW(in.read_rows<float>("model/w", -1, rows), Error);
  EXPECT_THROW(in.read_rows<float>("model/w", 0, std::span(rows).first(row + 1)), Error);
}

// Moments of a filter of which three taps meet data.
TEST_F(CheckpointPartsTest, MomentsOfDeadTapsAreNotStoredAndReadAsZeros) {
  const Layout live = Layout::batch_last({13, 2, 26});
  const Tensor saved = allocate_tensor({}, weights().shape(), DType::kF32, live);
  from_host(to_host(weights(), stream_), saved, stream_);
  write_checkpoint(file_, {}, {}, {{"m", saved}});
  EXPECT_LT(fs::file_size(file_), 2 * saved.bytes());  // of nine times as many
  {
    const Hdf5File in = Hdf5File::open(file_);
    EXPECT_EQ(in.describe("optimizer/m").shape, (Shape{700, 40, 3}));
    EXPECT_EQ(in.attribute_numbers("optimizer/m", "positions"), (std::vector<double>{13, 2, 26}));
  }
  const std::vector<double> want = to_host(saved, stream_);
  for (const Layout& layout : {live, Layout(), Layout::batch_last(), Layout::batch_last({26, 0, 2, 13})}) {
    const Tensor read = allocate_tensor({}, saved.shape(), DType::kF32, layout);
    from_host(std::vector<double>(want.size(), 7), read, stream_);
    load_checkpoint(file_, {}, {{"m", read}});
    EXPECT_EQ(to_host(read, stream_), want);
  }
}

TEST_F(CheckpointPartsTest, MomentsOfEarlierReleasesAreReadWithTheirZeros) {
  const Tensor saved = weights();
  write_checkpoint(file_, {}, {}, {{"m", saved}});
  const Tensor read = allocate_tensor({}, saved.shape(), DType::kF32, Layout::batch_last({26, 0}));
  load_checkpoint(file_, {}, {{"m", read}});
  const std::vector<double> all = to_host(saved, stream_), few = to_host(read, stream_);
  for (std::size_t i = 0; i < all.size(); ++i)
    ASSERT_EQ(few[i], i % 27 == 26 || i % 27 == 0 ? all[i] : 0) << i;
}

TEST_F(CheckpointPartsTest, PositionsThatDoNotExistAreASentence) {
  const Tensor read = allocate_tensor({}, {2, 2, 3, 3, 3}, DType::kF32);
  const auto expect = [&](const std::vector<std::int64_t>& positions, const std::string& words) {
    {
      Hdf5File file = Hdf5File::create(file_);
      file.make_group("model");
      file.write<float>("optimizer/m", std::vector<float>(8), {2, 2, 2});
      file.set_attribute("optimizer/m", "positions", std::span<const std::int64_t>(positions));
      file.commit();
    }
    expect_message(
        [&] {
          load_checkpoint(file_, {}, {{"m", read}});
        },
        {file_.string(), "optimizer/m", words});
  };
  expect({5, 27}, "27 is found, but different indices below 27 are expected");
  expect({5, -1}, "-1 is found");
  expect({5, 5}, "5 is found");
  expect({5, 6, 7}, "has shape [2, 2, 2], but [2, 2, 3] is expected");
}

}  // namespace
}  // namespace umbra
