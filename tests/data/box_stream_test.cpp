// Sub-boxes read in groups from a file are bit-identical to those that make_boxes() cuts from the whole
// catalog.
#include "data/boxes/box_stream.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <functional>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "tests/fixtures/catalog_file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

using BoxStreamTest = CatalogFileTest;

// Rows in random order. With values that single precision cannot represent, as other programs write them, a
// sum in another order has other bits.
Catalog random_catalog(std::int64_t cubes, std::size_t rows) {
  Catalog catalog;
  catalog.box_size = 24;
  catalog.boxes = cubes;
  catalog.source = "a test";
  const Rng rng(7, Purpose::kTest);
  for (std::uint64_t i = 0; i < rows; ++i) {
    for (std::uint64_t axis = 0; axis < 3; ++axis)
      catalog.columns[std::string(1, "xyz"[axis])].push_back(24 * rng.uniform(8 * i + axis));
    catalog.columns["vpeak"].push_back(100 + 200 * rng.uniform(8 * i + 3));
    catalog.columns["mvir"].push_back(1e12 * std::pow(rng.uniform(8 * i + 4), 9));
    catalog.columns["stellar_mass"].push_back(std::pow(10, 10 + 1.8 * rng.uniform(8 * i + 5)));
    catalog.integers["box"].push_back(
        static_cast<std::int64_t>(rng.below(8 * i + 6, static_cast<std::uint64_t>(cubes))));
  }
  return catalog;
}

void write_doubles(const fs::path& path, const Catalog& catalog) {
  Hdf5File file = Hdf5File::create(path);
  file.set_attribute("/", "box_size", catalog.box_size);
  file.set_attribute("/", "boxes", catalog.boxes);
  file.set_attribute("/", "h", catalog.cosmology.h);
  file.set_attribute("/", "source", catalog.source);
  for (const auto& [name, values] : catalog.columns) file.write("halos/" + name, values);
  for (const auto& [name, values] : catalog.integers) file.write("halos/" + name, values);
  file.commit();
}

BoxOptions options(double side) {
  BoxOptions out;
  out.subbox_size = side;
  out.voxels = 4;
  out.features = {"vpeak", "mvir"};
  return out;
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void expect_the_same(const fs::path& file, const Catalog& catalog, const BoxOptions& wanted,
                     const BoxStreamLimits& limits, bool scratch) {
  const BoxSet whole = make_boxes(catalog, wanted);
  BoxStream stream(file, wanted, file.parent_path(), limits);
  EXPECT_EQ(stream.uses_scratch(), scratch);
  EXPECT_EQ(stream.count(), whole.count);
  EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), {}), 1);  // the catalog alone
  BoxSet joined;
  std::int64_t entered = 0;
  while (const auto group = stream.next()) {
    EXPECT_LE(group->count, limits.boxes > 0 ? limits.boxes : 64);
    EXPECT_EQ(group->per_side, whole.per_side);
    EXPECT_EQ(group->sigma, whole.sigma);
    EXPECT_EQ(group->edges, whole.edges);
    EXPECT_EQ(group->smf_unit, whole.smf_unit);
    EXPECT_EQ(group->source, whole.source);
    EXPECT_EQ(group->h, whole.h);
    append(joined.input, group->input);
    append(joined.smf, group->smf);
    append(joined.box, group->box);
    append(joined.halos, group->halos);
    append(joined.galaxies, group->galaxies);
    for (const std::int64_t halos : group->halos) entered += halos;
  }
  EXPECT_EQ(joined.input, whole.input);
  EXPECT_EQ(joined.smf, whole.smf);
  EXPECT_EQ(joined.box, whole.box);
  EXPECT_EQ(joined.halos, whole.halos);
  EXPECT_EQ(stream.halos(), entered);
  ASSERT_EQ(joined.galaxies.size(), whole.galaxies.size());
  for (std::size_t i = 0; i < whole.galaxies.size(); ++i) {
    EXPECT_TRUE(std::equal(joined.galaxies[i].voxel, joined.galaxies[i].voxel + 3, whole.galaxies[i].voxel));
    EXPECT_EQ(joined.galaxies[i].bin, whole.galaxies[i].bin);
  }
}

TEST_F(BoxStreamTest, WithEveryKindOfFeature) {
  const Catalog catalog = random_catalog(20, 6000);
  write_doubles(path(), catalog);
  BoxOptions wanted = options(24);
  wanted.features = {"occupancy", "log10(mvir)", "count", "residual(mvir)"};
  const std::vector<std::int64_t> train{0, 3, 4, 11};
  wanted.references = fit_references(catalog, wanted, train);
  expect_the_same(path(), catalog, wanted, {}, false);
  expect_the_same(path(), catalog, wanted, {3, 1000, 500}, true);
}

TEST_F(BoxStreamTest, GroupsAreTheBoxesOfTheWhole) {
  for (const auto& [cubes, side] : {std::pair(1, 8.0), std::pair(20, 24.0), std::pair(5, 12.0)}) {
    const Catalog catalog = random_catalog(cubes, 6000);
    write_doubles(path(), catalog);
    expect_the_same(path(), catalog, options(side), {}, false);
    expect_the_same(path(), catalog, options(side), {3, 1000, 500}, true);
    expect_the_same(path(), catalog, options(side), {1, 1, 97}, true);
    expect_the_same(path(), catalog, options(side), {3, 1 << 20, 500}, false);  // groups, all in memory
    expect_the_same(path(), catalog, options(side), {1000, 1, 500}, false);     // one group needs no scratch
  }
}

TEST_F(BoxStreamTest, WithoutMassesAndWithoutHalos) {
  Catalog catalog = random_catalog(20, 300);
  catalog.columns.erase("stellar_mass");
  for (auto& cube : catalog.integers["box"]) cube = cube % 2 == 0 ? 3 : 17;  // most groups are empty
  write_doubles(path(), catalog);
  expect_the_same(path(), catalog, options(24), {3, 100, 50}, true);
  for (auto& [name, values] : catalog.columns) values.clear();
  for (auto& [name, values] : catalog.integers) values.clear();
  write_doubles(path(), catalog);
  expect_the_same(path(), catalog, options(24), {3, 100, 50}, false);
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(BoxStreamTest, TheSameSentencesAsTheWhole) {
  write_doubles(path(), random_catalog(4, 200));
  const auto same = [&](const std::function<void(BoxOptions&)>& change) {
    BoxOptions wanted = options(24);
    change(wanted);
    const std::string whole = message_of([&] { make_boxes(read_catalog(path()), wanted); });
    EXPECT_NE(whole, "");
    EXPECT_EQ(message_of([&] { BoxStream(path(), wanted, folder_); }), whole);
  };
  same([](BoxOptions& o) { o.features = {"macc"}; });
  same([](BoxOptions& o) { o.features = {"box"}; });
  same([](BoxOptions& o) { o.features = {}; });
  same([](BoxOptions& o) { o.subbox_size = 7; });
  same([](BoxOptions& o) { o.voxels = 0; });
  same([](BoxOptions& o) { o.smf_bins = 23; });
  // Too much for a group of any size.
  BoxOptions huge = options(24);
  huge.voxels = 4096;
  EXPECT_NE(message_of([&] { BoxStream(path(), huge, folder_); }).find("memory"), std::string::npos);
  Catalog bad = random_catalog(4, 200);
  bad.columns["vpeak"][150] = -1;
  write_doubles(path(), bad);
  const std::string message = message_of([&] { BoxStream(path(), options(24), folder_, {1, 10, 40}); });
  EXPECT_NE(message.find("'vpeak' row 150 is -1"), std::string::npos) << message;
}

TEST_F(BoxStreamTest, AFullDiskIsASentence) {
  if (std::string_view(UMBRA_SANITIZER) == "thread")
    GTEST_SKIP() << "no limit on files under ThreadSanitizer";
  write_doubles(path(), random_catalog(4, 5000));
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit limited = before;
  limited.rlim_cur = 10'000;
  ::setrlimit(RLIMIT_FSIZE, &limited);
  const std::string full = message_of([&] { BoxStream(path(), options(24), folder_, {1, 10, 400}); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(full.find(folder_.string()), std::string::npos) << full;
  EXPECT_NE(message_of([&] {
              BoxStream(path(), options(24), folder_ / "missing", {1, 10, 400});
            }).find("missing"),
            std::string::npos);
}

}  // namespace
}  // namespace umbra
