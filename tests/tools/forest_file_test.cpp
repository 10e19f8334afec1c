// Forests are written to disk and read back unchanged; damaged and invalid files are rejected with an error
// message.
#include "tools/common/forest_file.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <fstream>
#include <limits>

#include "engine/base/philox.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;

class ForestFileTest : public testing::Test {
 protected:
  ForestFileTest() { fs::create_directories(folder_); }
  ~ForestFileTest() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // Three trees on 200 rows of two columns, one of them with gaps.
  static ForestModel sample() {
    constexpr std::size_t kRows = 200;
    const Rng rng(4, Purpose::kTest);
    std::vector<float> a(kRows), b(kRows);
    std::vector<double> y(kRows);
    for (std::size_t i = 0; i < kRows; ++i) {
      a[i] = static_cast<float>(rng.uniform(3 * i));
      b[i] =
          i % 9 == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(rng.uniform(3 * i + 1));
      y[i] = 10 + static_cast<double>(a[i]) + (i % 9 == 0 ? 1 : 0) + 0.1 * rng.normal(3 * i + 2);
    }
    ForestTable table;
    table.add("vpeak", std::span<const float>(a));
    table.add("spin", std::span<const float>(b));
    ForestModel model;
    ForestOptions options;
    options.trees = 3;
    options.max_depth = 5;
    options.seed = ~std::uint64_t{0};
    options.bootstrap = ForestOptions::Bootstrap::kPoisson;
    options.search = ForestOptions::Search::kExact;
    model.forest = fit_forest({table, y, {}, {}}, options);
    model.target = ForestTarget::kLinear;
    model.min_vpeak = 120;
    model.subbox_size = 12.5;
    model.split = {ForestSplit::By::kHalos, {0.75, ~std::uint64_t{0} - 7, 5, 3, {1, 4}}};
    model.source = "two columns";
    model.boxes = 8;
    model.training_boxes = {0, 2, 7};
    model.fingerprint = {4294967295, 17};
    return model;
  }

  // The error message of reading the file, or "" when it can be read.
  static std::string complaint(const std::string& file) {
    try {
      read_forest(file);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  template <class Change>
  void expect_refused(const Change& change, const std::vector<std::string>& words) const {
    ForestModel model = sample();
    change(model);
    write_forest(path("bad.h5"), model);
    expect_words(complaint(path("bad.h5")), words);
  }
  static void expect_words(const std::string& sentence, const std::vector<std::string>& words) {
    EXPECT_NE(sentence.find("bad.h5"), std::string::npos) << sentence;
    EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
    for (const std::string& word : words) EXPECT_NE(sentence.find(word), std::string::npos) << sentence;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("umbra_forest_file_" + std::to_string(getpid()));
};

void expect_equal(const ForestModel& a, const ForestModel& b, const std::string& where) {
  EXPECT_EQ(a.forest.features, b.forest.features) << where;
  EXPECT_EQ(a.target, b.target) << where;
  EXPECT_EQ(a.min_vpeak, b.min_vpeak) << where;
  EXPECT_EQ(a.subbox_size, b.subbox_size) << where;
  EXPECT_EQ(a.split.by, b.split.by) << where;
  EXPECT_EQ(a.split.rule, b.split.rule) << where;
  EXPECT_EQ(a.source, b.source) << where;
  EXPECT_EQ(a.boxes, b.boxes) << where;
  EXPECT_EQ(a.training_boxes, b.training_boxes) << where;
  EXPECT_EQ(a.fingerprint, b.fingerprint) << where;
  const ForestOptions &p = a.forest.options, &q = b.forest.options;
  EXPECT_EQ(std::tie(p.trees, p.max_depth, p.min_samples_leaf, p.max_features, p.max_leaf_nodes,
                     p.extra_trees, p.search, p.bootstrap, p.seed),
            std::tie(q.trees, q.max_depth, q.min_samples_leaf, q.max_features, q.max_leaf_nodes,
                     q.extra_trees, q.search, q.bootstrap, q.seed))
      << where;
  ASSERT_EQ(a.forest.trees.size(), b.forest.trees.size()) << where;
  for (std::size_t t = 0; t < a.forest.trees.size(); ++t) {
    ASSERT_EQ(a.forest.trees[t].size(), b.forest.trees[t].size()) << where;
    for (std::size_t i = 0; i < a.forest.trees[t].size(); ++i) {
      const ForestNode &m = a.forest.trees[t][i], &n = b.forest.trees[t][i];
      EXPECT_EQ(std::tie(m.threshold, m.value, m.gain, m.weight, m.rows, m.left, m.feature, m.missing_left),
                std::tie(n.threshold, n.value, n.gain, n.weight, n.rows, n.left, n.feature, n.missing_left))
          << where << ", tree " << t << ", node " << i;
    }
  }
}

TEST_F(ForestFileTest, ComesBackAsItWas) {
  const ForestModel model = sample();
  ASSERT_GT(model.forest.trees[0].size(), 15U);
  write_forest(path("forest.h5"), model);
  const ForestModel read = read_forest(path("forest.h5"));
  expect_equal(read, model, "read");
  write_forest(path("again.h5"), read);
  EXPECT_EQ(bytes(path("forest.h5")), bytes(path("again.h5")));
}

TEST_F(ForestFileTest, DamageIsAnErrorOrHarmless) {
  const ForestModel model = sample();
  write_forest(path("forest.h5"), model);
  const std::string good = bytes(path("forest.h5"));
  const Rng rng(6, Purpose::kTest);
  int errors = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    std::string bad = good;
    const auto at = static_cast<std::size_t>(rng.below(2 * i, bad.size()));
    if (i % 4 == 0) bad.resize(at);
    if (i % 4 == 1) bad[at] = static_cast<char>(bad[at] ^ (1 << rng.below(2 * i + 1, 8)));
    if (i % 4 == 2)
      std::fill_n(bad.begin() + static_cast<long>(at), std::min<std::size_t>(24, bad.size() - at), '\0');
    if (i % 4 == 3)
      std::fill_n(bad.begin() + static_cast<long>(at), std::min<std::size_t>(4, bad.size() - at), '\x5a');
    std::ofstream(path("bad.h5"), std::ios::binary) << bad;
    try {
      expect_equal(read_forest(path("bad.h5")), model, "mutation " + std::to_string(i));
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 100);  // at least the truncations
}

// Intact files with invalid content, which checksums do not detect.
TEST_F(ForestFileTest, TreesThatAreNoneAreRefused) {
  const auto root = [](ForestModel& m) -> ForestNode& { return m.forest.trees[1][0]; };
  const std::string tree = "node 0 of tree 1";
  expect_refused([&](ForestModel& m) { root(m).left = 0; }, {tree, "children at 0"});
  expect_refused([&](ForestModel& m) { root(m).left = 1000; }, {tree, "children at 1000"});
  expect_refused([&](ForestModel& m) { root(m).left = -7; }, {"trees/left", tree, "-7"});
  expect_refused([&](ForestModel& m) { root(m).left = std::numeric_limits<std::int32_t>::max(); },
                 {"not possible"});
  expect_refused([&](ForestModel& m) { root(m).left = -1; }, {"tree 1", "not the child of any node"});
  expect_refused([&](ForestModel& m) { root(m).left = 3; }, {"tree 1"});
  expect_refused([&](ForestModel& m) { root(m).feature = 2; }, {"trees/feature", tree, "2"});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_refused([&](ForestModel& m) { root(m).threshold = nan; }, {"trees/threshold", tree, "nan"});
  expect_refused([&](ForestModel& m) { root(m).value = 1 / 0.0; }, {"trees/value", tree, "inf"});
  expect_refused([&](ForestModel& m) { root(m).gain = -1; }, {"trees/gain", tree});
  expect_refused([&](ForestModel& m) { root(m).weight = 0; }, {"trees/weight", tree});
  expect_refused([&](ForestModel& m) { root(m).rows = 0; }, {"trees/rows", tree});
  expect_refused([](ForestModel& m) { m.forest.trees[2].clear(); }, {"trees/begin", "at least one node"});
}

TEST_F(ForestFileTest, OptionsThatCannotBeAreRefused) {
  expect_refused([](ForestModel& m) { m.forest.options.trees = 4; }, {"3 trees", "trees is 4"});
  expect_refused([](ForestModel& m) { m.forest.options.trees = kMostTrees + 1; }, {"attribute trees"});
  expect_refused([](ForestModel& m) { m.forest.options.max_depth = -1; }, {"max_depth", "-1"});
  expect_refused([](ForestModel& m) { m.forest.options.max_features = 3; }, {"max_features", "3"});
  expect_refused([](ForestModel& m) { m.forest.options.min_samples_leaf = 0; }, {"min_samples_leaf"});
  expect_refused([](ForestModel& m) { m.forest.features = {"vpeak", "vpeak"}; }, {"features"});
  expect_refused([](ForestModel& m) { m.forest.features = {"vpeak", "a\nb"}; }, {"features"});
  expect_refused(
      [](ForestModel& m) {
        for (int i = 0; i < 40; ++i) m.forest.features.push_back("c" + std::to_string(i));
      },
      {"features", "42", "32"});
  expect_refused([](ForestModel& m) { m.min_vpeak = std::numeric_limits<double>::quiet_NaN(); },
                 {"min_vpeak"});
  expect_refused([](ForestModel& m) { m.subbox_size = 0; }, {"subbox_size"});
  expect_refused([](ForestModel& m) { m.split.rule.train_fraction = 1.5; }, {"train_fraction", "1.5"});
  expect_refused([](ForestModel& m) { m.boxes = 0; }, {"boxes"});
  expect_refused([](ForestModel& m) { m.training_boxes = {0, 8}; }, {"training_boxes", "8"});
  expect_refused([](ForestModel& m) { m.training_boxes = {3, 1}; }, {"training_boxes", "1 after 3"});
  expect_refused([](ForestModel& m) { m.fingerprint = {1}; }, {"fingerprint"});
}

// Writes over a dataset of a finished file.
void overwrite(const std::string& file, const char* dataset, const std::vector<std::int64_t>& values) {
  const hid_t f = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t d = H5Dopen2(f, dataset, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(d, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Dclose(d);
  H5Fclose(f);
}

TEST_F(ForestFileTest, TreesThatOverlapAreRefused) {
  const ForestModel model = sample();
  std::vector<std::int64_t> begin{0};
  for (const ForestTree& tree : model.forest.trees)
    begin.push_back(begin.back() + static_cast<std::int64_t>(tree.size()));
  for (std::size_t at = 0; at < begin.size(); ++at) {
    for (const std::int64_t value :
         {std::int64_t{-5}, begin.back() + 1, std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min()}) {
      std::vector<std::int64_t> damaged = begin;
      damaged[at] = value;
      write_forest(path("bad.h5"), model);
      overwrite(path("bad.h5"), "trees/begin", damaged);
      expect_words(complaint(path("bad.h5")), {"trees/begin"});
    }
  }
  std::vector<std::int64_t> shifted = begin;  // every tree has nodes, but those of another
  ++shifted[1];
  write_forest(path("bad.h5"), model);
  overwrite(path("bad.h5"), "trees/begin", shifted);
  expect_words(complaint(path("bad.h5")), {"tree 0"});
}

TEST_F(ForestFileTest, OtherFilesAreRefused) {
  EXPECT_NE(complaint(path("missing.h5")).find("missing.h5"), std::string::npos);
  std::ofstream(path("bad.h5")) << "a forest, honestly";
  expect_words(complaint(path("bad.h5")), {});
  Hdf5File other = Hdf5File::create(path("other.h5"));
  other.set_attribute("/", "trees", 3);
  other.commit();
  EXPECT_NE(complaint(path("other.h5")).find("not a forest"), std::string::npos);
  Hdf5File later = Hdf5File::create(path("later.h5"));
  later.set_attribute("/", "format", "umbra forest");
  later.set_attribute("/", "format_version", 2);
  later.commit();
  EXPECT_NE(complaint(path("later.h5")).find("version 2"), std::string::npos);
}

}  // namespace
}  // namespace umbra
