// HDF5 files: round trips, one error message for wrong use, and no other effect of a damaged file.
#include "engine/io/hdf5.h"

#include <hdf5.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>
#include <numeric>

#include "engine/base/philox.h"
#include "engine/io/atomic_file.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using Hdf5Test = FileTest;

template <class T>
std::vector<T> ramp(std::size_t count) {
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), T(-3));
  return values;
}

template <class T>
void expect_round_trip(Hdf5File& out, const fs::path& path, const Shape& shape) {
  const auto values = ramp<T>(static_cast<std::size_t>(shape.count()));
  out.write("deep/er/data", values, shape);
  out.commit();
  const Hdf5File in = Hdf5File::open(path);
  EXPECT_EQ(in.read<T>("deep/er/data"), values);
  EXPECT_EQ(in.read<T>("/deep/er/data/", shape), values);
  EXPECT_EQ(in.describe("deep/er/data").shape, shape);
  std::vector<T> into(values.size());
  in.read_into<T>("deep/er/data", shape, into);
  EXPECT_EQ(into, values);
}

TEST_F(Hdf5Test, EveryTypeAndRankComesBack) {
  for (const Shape& shape :
       {Shape{}, Shape{0}, Shape{7}, Shape{2, 3}, Shape{3, 0, 2}, Shape{2, 1, 3, 2, 2, 3}}) {
    const fs::path file = path("a.h5");
    Hdf5File f32 = Hdf5File::create(file);
    expect_round_trip<float>(f32, file, shape);
    Hdf5File f64 = Hdf5File::create(file);
    expect_round_trip<double>(f64, file, shape);
    Hdf5File i32 = Hdf5File::create(file);
    expect_round_trip<std::int32_t>(i32, file, shape);
    Hdf5File i64 = Hdf5File::create(file);
    expect_round_trip<std::int64_t>(i64, file, shape);
  }
}

TEST_F(Hdf5Test, DataOfManyChunksComeBack) {
  Hdf5File out = Hdf5File::create(path("a.h5"));
  const Shape shape{3, 700, 501};  // 8 MB in chunks of at most 1 MiB that do not divide it
  const auto values = ramp<double>(static_cast<std::size_t>(shape.count()));
  out.write("data", values, shape);
  out.commit();
  EXPECT_EQ(Hdf5File::open(path("a.h5")).read<double>("data", shape), values);
}

TEST_F(Hdf5Test, AttributesComeBackAndAreReplaced) {
  Hdf5File out = Hdf5File::create(path("a.h5"));
  out.write<double>("g/d", {1.5});
  out.set_attribute("g/d", "unit", "km/s");
  out.set_attribute("g/d", "unit", "Mpc/h");
  out.set_attribute("g", "count", std::int64_t{1} << 60);
  out.set_attribute("/", "third", 1.0 / 3);
  out.set_attribute("/", "edges", std::vector<double>{1, 2, 4});
  out.set_attribute("/", "empty", "");
  out.commit();
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  EXPECT_EQ(in.attribute_text("g/d", "unit"), "Mpc/h");
  EXPECT_EQ(in.attribute_integer("g", "count"), std::int64_t{1} << 60);
  EXPECT_EQ(in.attribute_number("/", "third"), 1.0 / 3);
  EXPECT_EQ(in.attribute_numbers("/", "edges"), (std::vector<double>{1, 2, 4}));
  EXPECT_EQ(in.attribute_text("/", "empty"), "");
  EXPECT_FALSE(in.attribute_text("/", "umbra_version").empty());
  EXPECT_FALSE(in.has_attribute("g", "unit"));
  expect_message([&] { in.attribute_number("g", "unit"); }, {"a.h5", "'g'", "unit", "missing"});
  expect_message([&] { in.attribute_number("g/d", "unit"); }, {"a.h5", "g/d", "must be a number"});
  expect_message([&] { in.attribute_number("/", "edges"); }, {"edges", "one number"});
  expect_message([&] { in.attribute_text("/", "third"); }, {"third", "one text"});
  expect_message([&] { in.attribute_integer("/", "third"); }, {"third", "integers are expected"});
}

TEST_F(Hdf5Test, ListsWhatIsThere) {
  Hdf5File out = Hdf5File::create(path("a.h5"));
  out.write<float>("b", std::vector<float>(6), Shape{2, 3});
  out.write<std::int64_t>("a", {1});
  out.make_group("c/d");
  out.commit();
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  const auto entries = in.list();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].kind, Hdf5Kind::kInteger);
  EXPECT_EQ(entries[1].kind, Hdf5Kind::kFloat);
  EXPECT_EQ(entries[1].shape, (Shape{2, 3}));
  EXPECT_EQ(entries[1].item_size, 4u);
  EXPECT_EQ(entries[2].kind, Hdf5Kind::kGroup);
  EXPECT_EQ(in.list("c").at(0).name, "d");
  EXPECT_TRUE(in.has_group("c/d") && in.has_dataset("b") && !in.has_dataset("c") && !in.has("c/x/y"));
}

TEST_F(Hdf5Test, NumbersWidenButNeverOverflow) {
  Hdf5File out = Hdf5File::create(path("a.h5"));
  out.write<std::int64_t>("small", {5, -7});
  out.write<std::int64_t>("large", {5, std::int64_t{1} << 40});
  out.write<double>("real", {1e300, 1.0});
  out.write<double>("special", {std::numeric_limits<double>::infinity(), std::nan("")});
  out.commit();
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  EXPECT_EQ(in.read<std::int32_t>("small"), (std::vector<std::int32_t>{5, -7}));
  EXPECT_EQ(in.read<double>("small"), (std::vector<double>{5, -7}));
  expect_message([&] { in.read<std::int32_t>("large"); }, {"large", "do not fit into i32"});
  expect_message([&] { in.read<float>("real"); }, {"real", "do not fit into f32"});
  expect_message([&] { in.read<std::int64_t>("real"); }, {"real", "integers are expected"});
  const auto special = in.read<float>("special");
  EXPECT_TRUE(std::isinf(special[0]) && std::isnan(special[1]));
}

TEST_F(Hdf5Test, WrongUseIsOneSentence) {
  Hdf5File out = Hdf5File::create(path("a.h5"));
  out.write<float>("g/d", {1, 2});
  expect_message([&] { out.write<float>("g/d", {1}); }, {"a.h5", "g/d", "already"});
  expect_message([&] { out.write<float>("g/e", {1, 2, 3}, Shape{2}); }, {"3 numbers", "[2]"});
  expect_message([&] { out.write<float>("g/d/x", {1}); }, {"g/d", "cannot create the group"});
  out.commit();
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  expect_message([&] { in.read<float>("h"); }, {"a.h5", "'h'", "no such object"});
  expect_message([&] { in.read<float>("g"); }, {"'g'", "dataset is expected"});
  expect_message([&] { in.list("g/d"); }, {"group is expected"});
  expect_message([&] { in.read<float>("g/d", Shape{3}); }, {"[2]", "[3]"});
  std::vector<float> small(1);
  expect_message([&] { in.read_into<float>("g/d", Shape{2}, small); }, {"buffer"});
  expect_message([&] { in.members("g/d"); }, {"table"});
}

TEST_F(Hdf5Test, ForeignFilesAreRefused) {
  expect_message([&] { Hdf5File::open(path("none.h5")); }, {"none.h5", "does not exist"});
  expect_message([&] { Hdf5File::open(folder_); }, {"is not a file"});
  put_bytes(path("empty.h5"), {});
  expect_message([&] { Hdf5File::open(path("empty.h5")); }, {"empty.h5", "not an HDF5 file"});
  put_bytes(path("text.h5"), std::string("scale id mvir\n1 2 3\n"));
  expect_message([&] { Hdf5File::open(path("text.h5")); }, {"text.h5", "not an HDF5 file"});
}

// Written with the C API, as a foreign program would.
void make_absurd(const fs::path& path) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t huge[1] = {hsize_t{1} << 40}, more[2] = {hsize_t{1} << 40, hsize_t{1} << 20},
                chunk[1] = {1024};
  const auto add = [&](const char* name, int rank, const hsize_t* extents, bool chunked) {
    const hid_t space = H5Screate_simple(rank, extents, nullptr), list = H5Pcreate(H5P_DATASET_CREATE);
    if (chunked) H5Pset_chunk(list, 1, chunk);
    H5Dclose(H5Dcreate2(file, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Pclose(list);
    H5Sclose(space);
  };
  add("unwritten", 1, huge, false);
  add("chunked", 1, huge, true);
  add("product", 2, more, false);
  const hsize_t ones[7] = {1, 1, 1, 1, 1, 1, 1};
  add("rank7", 7, ones, false);
  H5Lcreate_soft("/loop", file, "loop", H5P_DEFAULT, H5P_DEFAULT);
  const hid_t null = H5Screate(H5S_NULL);
  H5Dclose(H5Dcreate2(file, "null", H5T_NATIVE_INT, null, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(null);
  H5Fclose(file);
}

TEST_F(Hdf5Test, ClaimsWithoutBytesAreRefused) {
  make_absurd(path("a.h5"));
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  expect_message([&] { in.read<float>("unwritten"); }, {"unwritten", "only 0 are stored"});
  expect_message([&] { in.read<float>("chunked"); }, {"chunked", "are stored"});
  expect_message([&] { in.read<float>("product"); }, {"product", "absurdly large"});
  expect_message([&] { in.read<float>("rank7"); }, {"rank7", "7 dimensions"});
  expect_message([&] { in.read<std::int32_t>("null"); }, {"null", "no data"});
  expect_message([&] { in.has("loop"); }, {"loop", "leads nowhere"});
}

TEST_F(Hdf5Test, TablesAreReadByColumn) {
  struct Row {
    std::int64_t id;
    float mass;
  };
  const Row rows[] = {{7, 1.5f}, {std::int64_t{1} << 40, 2.5f}};
  {
    const hid_t file = H5Fcreate(path("t.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(Row));
    H5Tinsert(type, "halo_id", offsetof(Row, id), H5T_NATIVE_INT64);
    H5Tinsert(type, "halo_mvir", offsetof(Row, mass), H5T_NATIVE_FLOAT);
    const hsize_t extent = 2;
    const hid_t space = H5Screate_simple(1, &extent, nullptr);
    const hid_t data = H5Dcreate2(file, "data", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows);
    H5Dclose(data), H5Sclose(space), H5Tclose(type), H5Fclose(file);
  }
  const Hdf5File in = Hdf5File::open(path("t.h5"));
  EXPECT_EQ(in.members("data"), (std::vector<std::string>{"halo_id", "halo_mvir"}));
  EXPECT_EQ(in.read_member<std::int64_t>("data", "halo_id"),
            (std::vector<std::int64_t>{7, std::int64_t{1} << 40}));
  EXPECT_EQ(in.read_member<double>("data", "halo_mvir"), (std::vector<double>{1.5, 2.5}));
  expect_message([&] { in.read_member<double>("data", "halo_x"); }, {"t.h5", "halo_x", "missing"});
  expect_message([&] { in.read_member<std::int32_t>("data", "halo_mvir"); }, {"halo_mvir", "integers"});
  expect_message([&] { in.read<double>("data"); }, {"data", "numbers are expected"});
}

TEST_F(Hdf5Test, NothingAppearsBeforeCommit) {
  put_bytes(path("a.h5"), std::string("the old file"));
  {
    Hdf5File out = Hdf5File::create(path("a.h5"));
    out.write<float>("d", {1});
    EXPECT_EQ(bytes_of(path("a.h5")).size(), 12u);
  }
  EXPECT_EQ(bytes_of(path("a.h5")).size(), 12u);
  EXPECT_EQ(entries(), 1u);
  Hdf5File out = Hdf5File::create(path("a.h5"));
  out.commit();
  EXPECT_EQ(entries(), 1u);
  EXPECT_NO_THROW(Hdf5File::open(path("a.h5")));
}

TEST_F(Hdf5Test, SameContentIsTheSameBytes) {
  for (const char* name : {"a.h5", "b.h5"}) {
    Hdf5File out = Hdf5File::create(path(name));
    out.write("g/d", ramp<double>(5000));
    out.set_attribute("g/d", "unit", "km/s");
    out.commit();
    if (name[0] == 'a') ::sleep(1);  // a time stamp would differ now
  }
  EXPECT_EQ(bytes_of(path("a.h5")), bytes_of(path("b.h5")));
}

// A limit on the size of files, as a substitute for a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limited = before_;
    limited.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(Hdf5Test, PartsAreThePartsOfTheWhole) {
  const std::vector<double> numbers = ramp<double>(300'000);  // three chunks
  {
    Hdf5File out = Hdf5File::create(path("a.h5"));
    out.write("numbers", numbers);
    out.write<float>("table", {1, 2, 3, 4}, Shape{2, 2});
    out.write<std::int64_t>("large", {1, std::int64_t{1} << 40});
    out.commit();
  }
  const Hdf5File in = Hdf5File::open(path("a.h5"));
  for (const std::size_t first : {0UL, 1UL, 131'071UL, 299'999UL, 300'000UL})
    for (const std::size_t count : {0UL, 1UL, 2UL, 140'000UL, 300'000UL}) {
      std::vector<double> part(count, -1);
      const auto read = [&] { in.read_part("numbers", static_cast<std::int64_t>(first), std::span(part)); };
      if (first + count > numbers.size()) {
        expect_message(read, {"a.h5", "'numbers'", "300000 elements", std::to_string(first)});
        continue;
      }
      read();
      ASSERT_TRUE(std::equal(part.begin(), part.end(), numbers.begin() + static_cast<long>(first)));
    }
  std::vector<float> floats(1);
  std::vector<std::int64_t> integers(1);
  std::vector<std::int32_t> small(1);
  in.read_part<float>("numbers", 7, floats);  // converted like a whole dataset
  EXPECT_EQ(floats[0], static_cast<float>(numbers[7]));
  in.read_part<std::int32_t>("large", 0, small);
  EXPECT_EQ(small[0], 1);
  expect_message([&] { in.read_part<std::int32_t>("large", 1, small); }, {"'large'"});
  expect_message([&] { in.read_part<float>("numbers", -1, floats); }, {"'numbers'"});
  expect_message([&] { in.read_part<float>("table", 0, floats); }, {"'table'", "[2, 2]", "one dimension"});
  expect_message([&] { in.read_part<std::int64_t>("numbers", 0, integers); }, {"integers are expected"});
  expect_message([&] { in.read_part<float>("absent", 0, {}); }, {"'absent'"});
}

TEST_F(Hdf5Test, AFullDiskIsOneSentenceAndLeavesNothing) {
  put_bytes(path("a.h5"), std::string("the old file"));
  const auto write = [&](int datasets, std::size_t length) {
    Hdf5File out = Hdf5File::create(path("a.h5"));
    for (int i = 0; i < datasets; ++i) out.write("d" + std::to_string(i), ramp<double>(length));
    out.set_attribute("/", "box_size", 25.0);
    out.commit();
  };
  for (const rlim_t limit : {0, 100, 1000, 2500, 20'000, 100'000, 400'000}) {
    {
      const FileSizeLimit full(limit);
      expect_message([&] { write(20, 3000); }, {"a.h5"});    // many small datasets
      expect_message([&] { write(1, 500'000); }, {"a.h5"});  // one of several chunks
      expect_message([&] { write_text_file(path("a.h5"), std::string(500'000, 'x')); },
                     {"a.h5", "File too large"});
    }
    EXPECT_EQ(bytes_of(path("a.h5")).size(), 12u);
    EXPECT_EQ(entries(), 1u);
    // The library still works afterwards.
    Hdf5File out = Hdf5File::create(path("b.h5"));
    out.write("d", ramp<double>(3000));
    out.commit();
    EXPECT_EQ(Hdf5File::open(path("b.h5")).read<double>("d"), ramp<double>(3000));
    fs::remove(path("b.h5"));
  }
}

// ---- damage
// ----------------------------------------------------------------------------------------------------------

void write_sample(const fs::path& path) {
  Hdf5File out = Hdf5File::create(path);
  for (const char* name : {"x", "y", "z", "vpeak", "mvir"}) {
    out.write(std::string("halos/") + name, ramp<float>(200));
    out.set_attribute(std::string("halos/") + name, "unit", "Mpc/h");
  }
  out.write("halos/id", ramp<std::int64_t>(200));
  out.set_attribute("/", "box_size", 25.0);
  out.set_attribute("/", "source", "a file made by the tests");
  out.commit();
}

// Reads everything. Returns false when an Error was thrown; any other exception fails the test.
bool read_everything(const fs::path& path, std::vector<double>& values) {
  values.clear();
  try {
    const Hdf5File in = Hdf5File::open(path);
    if (in.has_attribute("/", "source")) in.attribute_text("/", "source");
    values.push_back(in.attribute_number("/", "box_size"));
    for (const Hdf5Entry& entry : in.list("halos")) {
      const auto column = in.read<double>("halos/" + entry.name);
      values.insert(values.end(), column.begin(), column.end());
      if (in.has_attribute("halos/" + entry.name, "unit")) in.attribute_text("halos/" + entry.name, "unit");
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

TEST_F(Hdf5Test, NoDamageDoesMoreThanAnError) {
  write_sample(path("good.h5"));
  const std::vector<char> good = bytes_of(path("good.h5"));
  std::vector<double> expected, values;
  ASSERT_TRUE(read_everything(path("good.h5"), expected));
  const Rng rng(1, Purpose::kTest);
  const auto below = [&](std::uint64_t i, std::size_t bound) {
    return static_cast<std::size_t>(rng.below(i, bound));
  };
  int errors = 0, unnoticed = 0;
  constexpr std::uint64_t kMutations = 600;
  for (std::uint64_t i = 0; i < kMutations; ++i) {
    std::vector<char> bad = good;
    const std::size_t at = below(4 * i, bad.size());
    switch (i % 4) {
      case 0:
        bad[at] = static_cast<char>(bad[at] ^ (1 << below(4 * i + 1, 8)));
        break;
      case 1:
        bad.resize(at);
        break;
      case 2:
        std::fill_n(bad.begin() + static_cast<long>(at), std::min<std::size_t>(16, bad.size() - at), '\0');
        break;
      default:
        std::fill_n(bad.begin() + static_cast<long>(at), std::min<std::size_t>(4, bad.size() - at), '\x5a');
    }
    put_bytes(path("bad.h5"), bad);
    if (!read_everything(path("bad.h5"), values)) {
      ++errors;
    } else if (values != expected) {
      ++unnoticed;  // wrong numbers without an error
    }
  }
  EXPECT_GT(errors, 200);  // truncations alone are 150
  EXPECT_EQ(unnoticed,
            0);  // HDF5's checksum cannot tell 0x0000 from 0xffff, which is why 0x5a is written above
}

}  // namespace
}  // namespace umbra
