// Threads use HDF5 files of their own at the same time, as training does that reads samples while a checkpoint is written. Where
// the HDF5 library is thread-safe (Debian's is), this proves that a thread sees its own errors only, and not that calls take turns.
#include <gtest/gtest.h>

#include <thread>

#include "engine/io/hdf5.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

using Hdf5ThreadsTest = FileTest;

TEST_F(Hdf5ThreadsTest, EachReadsAndWritesItsOwnAndSeesItsOwnErrors) {
  constexpr int kTurns = 60;
  const std::vector<std::int32_t> numbers(1000, 7);
  {
    Hdf5File file = Hdf5File::create(path("read.h5"));
    file.write<std::int32_t>("data/x", numbers);
    file.commit();
  }
  std::vector<char> bytes = bytes_of(path("read.h5"));
  put_bytes(path("half.h5"), std::span(bytes).first(bytes.size() / 2));
  std::string unexplained;
  std::thread other([&] {
    for (int turn = 0; turn < kTurns; ++turn) {
      try {
        Hdf5File::open(path("half.h5"));
      } catch (const Error& error) {
        if (std::string(error.what()).find("truncated file") == std::string::npos) unexplained = error.what();
      }
    }
  });
  for (int turn = 0; turn < kTurns; ++turn) {
    Hdf5File file = Hdf5File::create(path("written.h5"));
    file.set_attribute("/", "turn", turn);
    file.write<std::int32_t>("data/x", numbers);
    file.commit();
    ASSERT_EQ(Hdf5File::open(path("read.h5")).read<std::int32_t>("data/x"), numbers);
  }
  other.join();
  EXPECT_EQ(unexplained, "");
  EXPECT_EQ(Hdf5File::open(path("written.h5")).attribute_integer("/", "turn"), kTurns - 1);
}

}  // namespace
}  // namespace umbra
