// Data files that are larger than memory: training on them uses little memory and gives the same weights, and
// a file that is truncated meanwhile ends in an error message.
#include <gtest/gtest.h>

#include <array>
#include <sstream>

#include "engine/registry/registry.h"
#include "engine/train/loader.h"
#include "models/tasks/dataset/input_rows.h"
#include "tests/fixtures/data_files.h"
#include "tests/fixtures/file_test.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

class DatasetMemoryTest : public FileTest {
 protected:
  // 240 MB of inputs, of two kinds, written a piece at a time; packed, they are few bytes on the disk.
  void make_large(const std::string& name, hsize_t chunk_rows) const {
    constexpr std::size_t kRows = 24000, kRow = 2500, kPiece = 1000;
    std::vector<double> labels(kRows);
    for (std::size_t i = 0; i < kRows; ++i) labels[i] = static_cast<double>(i % 2);
    {
      DataFileMaker(path(name))
          .add("inputs", H5T_IEEE_F32LE, {kRows, kRow}, {}, chunk_rows)
          .add("targets", H5T_STD_I8LE, {kRows}, labels);
    }
    const hid_t file = H5Fopen(path(name).c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, "inputs", H5P_DEFAULT), stored = H5Dget_space(dataset);
    const std::array<hsize_t, 2> length{kPiece, kRow};
    const hid_t memory = H5Screate_simple(2, length.data(), nullptr);
    std::vector<float> piece(kPiece * kRow);
    for (std::size_t first = 0; first < kRows; first += kPiece) {
      for (std::size_t i = 0; i < piece.size(); ++i) {
        const std::size_t row = first + i / kRow, column = i % kRow;
        piece[i] =
            static_cast<float>((row * 37 + column) % 16) + (column < 100 && row % 2 == 1 ? 9.0F : 0.0F);
      }
      const std::array<hsize_t, 2> begin{first, 0};
      H5Sselect_hyperslab(stored, H5S_SELECT_SET, begin.data(), nullptr, length.data(), nullptr);
      ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, memory, stored, H5P_DEFAULT, piece.data()), 0);
    }
    H5Sclose(memory), H5Sclose(stored), H5Dclose(dataset), H5Fclose(file);
  }

  // Few threads and one heap: their share of the address space depends on the machine.
  Outcome train(const std::string& data, const std::string& out, const std::string& resident, int mebibytes) {
    const std::string limit = mebibytes > 0 ? "ulimit -v " + std::to_string(mebibytes * 1024) + "; " : "";
    return run("(" + limit + "OMP_NUM_THREADS=2 MALLOC_ARENA_MAX=1 train --data " + path(data).string() +
               " --out " + path(out).string() +
               " device=cpu model.hidden=[4] train.batch=256 train.epochs=1" + " data.resident=" + resident +
               ")");
  }
  // The weights and the metrics, except for the seconds.
  struct Learnt {
    std::vector<std::vector<float>> weights;
    std::string metrics;
    bool operator==(const Learnt&) const = default;
  };
  Learnt learnt(const std::string& out) const {
    Learnt all;
    const Hdf5File last = Hdf5File::open(path(out) / "last.h5");
    for (const Hdf5Entry& entry : last.list("model"))
      all.weights.push_back(last.read<float>("model/" + entry.name));
    std::istringstream text(bytes(path(out) / "metrics.csv"));
    for (std::string line; std::getline(text, line);) all.metrics += line.substr(0, line.rfind(',')) + "\n";
    return all;
  }
};

TEST_F(DatasetMemoryTest, FilesLargerThanMemoryAreTrainedOnToTheSameBits) {
  if (!std::string_view(UMBRA_SANITIZER).empty())
    GTEST_SKIP() << "a sanitizer needs more address space than the limit";
  constexpr int kLimit = 262;  // MiB: streamed 90, in chunks 210, of which 64 are cache; in memory 310
  make_large("piece.h5", 0);
  make_large("chunks.h5", 2);
  const Outcome refused = train("piece.h5", "refused", "on", kLimit);
  EXPECT_NE(refused.status, 0);
  EXPECT_NE(refused.output.find("not enough memory"), std::string::npos) << refused.output;
  const Outcome whole = train("piece.h5", "whole", "on", 0);
  ASSERT_EQ(whole.status, 0) << whole.output;
  const Learnt expected = learnt("whole");
  EXPECT_FALSE(expected.weights.empty());
  for (const std::string name : {"piece", "chunks"}) {
    const Outcome streamed = train(name + ".h5", name, "off", kLimit);
    ASSERT_EQ(streamed.status, 0) << streamed.output;
    EXPECT_TRUE(learnt(name) == expected) << name;
  }
}

TEST_F(DatasetMemoryTest, PiecesAreWholeChunks) {
  const Shape row{1000};
  EXPECT_EQ(rows_of_piece(row, 0), 1048);
  EXPECT_EQ(rows_of_piece(row, 100), 1000);
  EXPECT_EQ(rows_of_piece(row, 1048), 1048);
  EXPECT_EQ(rows_of_piece(row, 3000), 3000);
  EXPECT_EQ(rows_of_piece(row, 100'000), 8388);  // which the reader keeps unpacked
  EXPECT_EQ(rows_of_piece(Shape{1 << 24}, 1), 1);
}

// Rows of a file as samples, unchanged.
class RowsAsSamples final : public Dataset {
 public:
  explicit RowsAsSamples(const InputRows& rows) : rows_(rows) {}
  std::int64_t size() const override { return rows_.count(); }
  Shape input_shape() const override { return rows_.shape(); }
  Shape target_shape() const override { return Shape{1}; }
  void read(std::int64_t index, const Rng*, std::span<float> input, std::span<float> target) const override {
    std::vector<double> numbers(input.size());
    rows_.read(index, numbers);
    std::copy(numbers.begin(), numbers.end(), input.begin());
    target[0] = 0;
  }

 private:
  const InputRows& rows_;
};

// All threads fail, but the message names the first row.
TEST_F(DatasetMemoryTest, AFileCutShortWhileItIsReadIsASentence) {
  constexpr std::size_t kRows = 400, kRow = 250;
  const std::vector<double> numbers(kRows * kRow, 1.5);
  const Registry registry = make_registry();
  for (const hsize_t chunk : {0, 7}) {
    { DataFileMaker(path("d.h5")).add("inputs", H5T_IEEE_F32LE, {kRows, kRow}, numbers, chunk); }
    auto file = std::make_shared<const Hdf5File>(Hdf5File::open(path("d.h5")));
    const std::int64_t offset = file->offset<float>("inputs").value_or(0);
    const std::unique_ptr<InputRows> rows = input_rows(std::move(file), 1, false);
    const RowsAsSamples samples(*rows);
    const Loader loader(samples, {.batch = kRows, .seed = 1, .shuffle = false});
    Context context(registry, {});
    EXPECT_EQ(loader.load(context, 0).input.values<float>()[kRows * kRow - 1], 1.5F);
    const std::uintmax_t half = static_cast<std::uintmax_t>(offset) + 200 * kRow * sizeof(float) + 5;
    std::filesystem::resize_file(path("d.h5"),
                                 chunk == 0 ? half : std::filesystem::file_size(path("d.h5")) - 1);
    for (int i = 0; i < 5; ++i)
      expect_message([&] { loader.load(context, 0); },
                     {"d.h5", "inputs", chunk == 0 ? "row 200 " : "row 0 ", "the file was cut short"});
  }
}

}  // namespace
}  // namespace umbra
