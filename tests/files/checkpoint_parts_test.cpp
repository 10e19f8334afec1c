// Checkpoints are read in parts: the same numbers in every layout, rounded where the network stores bf16.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/base/philox.h"
#include "engine/io/checkpoint.h"
#include "engine/io/hdf5.h"

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

}  // namespace
}  // namespace umbra
