// HDF5 files as other programs write them: data that was never written, filters of other packages, locks,
// links to other files, attributes of any type, and damaged types that crash the library itself.
#include <fcntl.h>
#include <hdf5.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/io/crash_guard.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using Hdf5ForeignTest = FileTest;

// A file made with the C API; everything in it is closed with it.
class Foreign {
 public:
  explicit Foreign(const fs::path& path) {
    static const herr_t once = H5dont_atexit();  // as in engine/io, whichever test runs first
    static_cast<void>(once);
    file_ = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  }
  ~Foreign() { H5Fclose(file_); }
  Foreign(const Foreign&) = delete;
  Foreign& operator=(const Foreign&) = delete;
  hid_t get() const { return file_; }

  // A dataset of doubles, its first `written` numbers written as 1, 2, 3, ...
  void dataset(const char* name, hsize_t count, hsize_t chunk, hsize_t written, hid_t creation) const {
    if (chunk > 0) H5Pset_chunk(creation, 1, &chunk);
    const hid_t space = H5Screate_simple(1, &count, nullptr);
    const hid_t data = H5Dcreate2(file_, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    std::vector<double> numbers(written);
    for (std::size_t i = 0; i < written; ++i) numbers[i] = static_cast<double>(i + 1);
    if (written > 0) {
      const hsize_t zero = 0;
      const hid_t part = H5Screate_simple(1, &written, nullptr);
      H5Sselect_hyperslab(space, H5S_SELECT_SET, &zero, nullptr, &written, nullptr);
      EXPECT_GE(H5Dwrite(data, H5T_NATIVE_DOUBLE, part, space, H5P_DEFAULT, numbers.data()), 0);
      H5Sclose(part);
    }
    H5Dclose(data), H5Sclose(space), H5Pclose(creation);
  }
  void attribute(const char* name, hid_t type, hsize_t count, const void* value) const {
    const hid_t space = H5Screate_simple(1, &count, nullptr);
    const hid_t attribute = H5Acreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, value);
    H5Aclose(attribute), H5Sclose(space);
  }

 private:
  hid_t file_;
};

hid_t with_fill(double value) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &value);
  return creation;
}

TEST_F(Hdf5ForeignTest, WhatWasNeverWrittenIsItsFillValue) {
  constexpr auto kMost = static_cast<hsize_t>(Hdf5File::kMostFilled);
  {
    const Foreign file(path("a.h5"));
    file.dataset("whole", 1000, 0, 0, with_fill(-1));
    file.dataset("partly", 1000, 100, 150, with_fill(7));
    file.dataset("zero", 10, 0, 0, H5Pcreate(H5P_DATASET_CREATE));
    file.dataset("large", kMost - 900, 1 << 16, 0, with_fill(2));
    const hid_t undefined = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_fill_value(undefined, H5T_NATIVE_DOUBLE, nullptr);
    file.dataset("undefined", 10, 0, 0, undefined);
  }
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  EXPECT_EQ(in.read<double>("whole"), std::vector<double>(1000, -1));
  const std::vector<double> partly = in.read<double>("partly");
  EXPECT_EQ(partly[149], 150);
  EXPECT_EQ(partly[150], 7);
  EXPECT_EQ(partly[999], 7);
  EXPECT_EQ(in.read<double>("zero"), std::vector<double>(10, 0));
  EXPECT_EQ(in.read<double>("whole"), std::vector<double>(1000, -1));  // it counts once, even if read again
  expect_message([&] { in.read<double>("undefined"); }, {"undefined", "only 0 are stored"});
  expect_message([&] { in.read_part<double>("large", 0, {}); }, {"large", "are stored"});  // with the others
  std::vector<double> part(3);
  Hdf5File::open(path("a.h5")).read_part<double>("large", 5, part);  // without the others: within the bound
  EXPECT_EQ(part, std::vector<double>(3, 2));
}

TEST_F(Hdf5ForeignTest, AFilterThatIsNotHereIsNamed) {
  constexpr H5Z_filter_t kLzf = 32000;
  const H5Z_class2_t lzf = {
      H5Z_CLASS_T_VERS,
      kLzf,
      1,
      1,
      "a stand-in",
      nullptr,
      nullptr,
      [](unsigned, std::size_t, const unsigned*, std::size_t bytes, std::size_t*, void**) { return bytes; }};
  H5Zregister(&lzf);
  {
    const Foreign file(path("a.h5"));
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 10;
    H5Pset_chunk(creation, 1, &chunk);
    H5Pset_filter(creation, kLzf, H5Z_FLAG_OPTIONAL, 0, nullptr);
    file.dataset("data", 100, 10, 100, creation);
  }
  EXPECT_EQ(Hdf5File::open(path("a.h5")).read<double>("data")[99], 100);
  H5Zunregister(kLzf);
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  expect_message([&] { in.read<double>("data"); }, {"a.h5", "'data'", "filter lzf", "h5repack"});
}

TEST_F(Hdf5ForeignTest, ALockIsNoDamage) {
  { const Foreign file(path("a.h5")); }
  const int held = ::open(path("a.h5").c_str(), O_RDWR);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  expect_message([&] { Hdf5File::open(path("a.h5")); }, {"a.h5", "locked", "another program"});
  ::close(held);
  EXPECT_NO_THROW(Hdf5File::open(path("a.h5")));
}

TEST_F(Hdf5ForeignTest, AFileThatAKilledWriterLeftOpenNamesTheCure) {
  const pid_t writer = ::fork();
  if (writer == 0) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    const hid_t file = H5Fcreate(path("a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Fstart_swmr_write(file);
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    ::_exit(0);
  }
  ::waitpid(writer, nullptr, 0);
  expect_message([&] { Hdf5File::open(path("a.h5")); }, {"a.h5", "being written", "h5clear -s"});
}

TEST_F(Hdf5ForeignTest, LinksToOtherFilesSayWhatTheyAre) {
  { const Foreign file(path("data.h5")); }
  {
    const Foreign file(path("a.h5"));
    H5Gclose(H5Gcreate2(file.get(), "halos", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_external("data.h5", "/x", file.get(), "halos/x", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("data.h5", "/", file.get(), "group", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/group", file.get(), "around", H5P_DEFAULT, H5P_DEFAULT);
  }
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  for (const char* object : {"halos/x", "group", "group/deeper"})
    expect_message([&] { in.has(object); }, {"a.h5", "'data.h5', another file"});
  expect_message([&] { in.read<double>("halos/x"); }, {"halos/x", "another file"});
  for (const char* object : {"around", "around/deeper"})  // a link to a link
    expect_message([&] { in.has(object); }, {"a.h5", "'data.h5', another file"});
  expect_message([&] { in.list("halos"); }, {"halos/x", "'data.h5', another file"});
}

TEST_F(Hdf5ForeignTest, AReasonIsNotLost) {
  {
    const Foreign file(path("a.h5"));
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 10;
    H5Pset_chunk(creation, 1, &chunk);
    H5Pset_fletcher32(creation);
    file.dataset("data", 100, 10, 100, creation);
  }
  std::vector<char> bytes = bytes_of(path("a.h5"));
  const double marker = 57;
  const auto* pattern = reinterpret_cast<const char*>(&marker);
  const auto at = std::search(bytes.begin(), bytes.end(), pattern, pattern + sizeof marker);
  ASSERT_NE(at, bytes.end());
  *at = 1;
  put_bytes(path("a.h5"), bytes);
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  expect_message([&] { in.read<double>("data"); }, {"'data'", "damaged", "Fletcher32 checksum"});
}

TEST_F(Hdf5ForeignTest, RemarksMayBeOfAnyType) {
  const hid_t two = H5Tcopy(H5T_C_S1), variable = H5Tcopy(H5T_C_S1);
  H5Tset_size(two, 2);
  H5Tset_size(variable, H5T_VARIABLE);
  {
    const Foreign file(path("a.h5"));
    file.attribute("text", two, 1, "ab");
    file.attribute("list", two, 2, "abcd");
    const char* value = "of any length";
    file.attribute("variable", variable, 1, &value);
    const double numbers[] = {1.5, 2};
    file.attribute("numbers", H5T_NATIVE_DOUBLE, 2, numbers);
    const hid_t opaque = H5Tcreate(H5T_OPAQUE, 4);
    file.attribute("opaque", opaque, 1, "\1\2\3\4");
    H5Tclose(opaque);
  }
  H5Tclose(two), H5Tclose(variable);
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  EXPECT_EQ(in.remark("/", "text"), "ab");
  EXPECT_EQ(in.remark("/", "variable"), "of any length");
  EXPECT_EQ(in.remark("/", "numbers"), "1.5, 2");
  for (const char* key : {"list", "opaque", "absent"}) EXPECT_EQ(in.remark("/", key), "") << key;
}

// The heap of variable-length strings has no checksum, and HDF5 1.10 trusts its lengths and addresses.
TEST_F(Hdf5ForeignTest, DamagedVariableTextsAreErrors) {
  const hid_t variable = H5Tcopy(H5T_C_S1);
  H5Tset_size(variable, H5T_VARIABLE);
  {
    const Foreign file(path("good.h5"));
    const std::string text(300, 't');
    const char* value = text.c_str();
    file.attribute("source", variable, 1, &value);
  }
  H5Tclose(variable);
  const std::vector<char> good = bytes_of(path("good.h5"));
  const std::string magic = "GCOL";
  const auto heap = std::search(good.begin(), good.end(), magic.begin(), magic.end()) - good.begin();
  ASSERT_LT(static_cast<std::size_t>(heap), good.size());
  int errors = 0;
  for (std::ptrdiff_t at = heap + 4; at < heap + 40; ++at) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      std::vector<char> bad = good;
      bad[static_cast<std::size_t>(at)] = value;
      put_bytes(path("bad.h5"), bad);
      try {
        Hdf5File::open(path("bad.h5")).attribute_text("/", "source");
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("bad.h5"), std::string::npos) << error.what();
        ++errors;
      }
    }
  }
  EXPECT_GT(errors, 30);
}

// A record of 8 bytes whose member claims to lie at byte `offset`, as in a damaged file; the library refuses
// to write such a type, so the offset of a valid one is overwritten.
TEST_F(Hdf5ForeignTest, ARecordHoldsItsMembers) {
  constexpr std::size_t kOffset = 0x00353433;  // found again among the bytes of the file
  {
    const Foreign file(path("good.h5"));
    const hid_t type = H5Tcreate(H5T_COMPOUND, kOffset + 8);
    H5Tinsert(type, "first", 0, H5T_NATIVE_INT);
    H5Tinsert(type, "second", kOffset, H5T_NATIVE_INT);
    const hsize_t one = 1;
    const hid_t space = H5Screate_simple(1, &one, nullptr);
    H5Dclose(H5Dcreate2(file.get(), "data", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space), H5Tclose(type);
  }
  std::vector<char> bytes = bytes_of(path("good.h5"));
  const std::uint32_t offset = kOffset, beyond = kOffset + 100;
  const auto* pattern = reinterpret_cast<const char*>(&offset);
  auto at = std::search(bytes.begin(), bytes.end(), pattern, pattern + 4);
  ASSERT_NE(at, bytes.end());
  std::memcpy(&*at, &beyond, 4);
  put_bytes(path("bad.h5"), bytes);
  const Hdf5File in = Hdf5File::open(path("bad.h5"));
  expect_message([&] { in.members("data"); }, {"bad.h5", "'data'", "type is damaged", "member 1"});
  expect_message([&] { in.read_member<std::int32_t>("data", "second"); }, {"bad.h5", "type is damaged"});
}

TEST(CrashGuard, ACrashInsideIsASentenceAndOutsideASignal) {
  const auto crash_in = [](const char* file) {
    handle_crashes("tool");
    const CrashGuard guard(file, CrashGuard::Work::kStructure);
    volatile int* nowhere = nullptr;
    *nowhere = 1;
  };
  const auto loop_in = [](CrashGuard::Work work) {
    handle_crashes("tool");
    const LoopWatch watch;
    const CrashGuard guard("a.h5", work);
    volatile std::uint64_t turns = 0;
    while (turns < (std::uint64_t{1} << 31) * (work == CrashGuard::Work::kStructure ? 100 : 1))
      turns = turns + 1;
    ::_exit(7);
  };
  const std::string_view sanitizer = UMBRA_SANITIZER;
  if (sanitizer == "thread")  // which delays a signal until the next system call
    GTEST_SKIP() << "ThreadSanitizer delivers no signal to a loop";
  EXPECT_EXIT(loop_in(CrashGuard::Work::kStructure), testing::ExitedWithCode(1),
              "file 'a.h5' is damaged.*does not finish");
  EXPECT_EXIT(loop_in(CrashGuard::Work::kNumbers), testing::ExitedWithCode(7), "");
  if (sanitizer.empty()) {
    EXPECT_EXIT(crash_in("a.h5"), testing::ExitedWithCode(1),
                "tool: file 'a.h5' is damaged: the HDF5 library crashed");
    EXPECT_EXIT(crash_in(nullptr), testing::KilledBySignal(SIGSEGV), "");
  } else {
    GTEST_SKIP() << "a sanitizer sees the crash first";
  }
}

}  // namespace
}  // namespace umbra
