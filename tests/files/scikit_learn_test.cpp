// The exact search against trees that scikit-learn grew (tests/golden/make_forest_goldens.py): node for node,
// bit for bit; and importances within the scatter of scikit-learn's seeds.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "engine/io/safetensors.h"
#include "models/forest/forest.h"
#include "models/forest/importance.h"
#include "test_paths.h"

namespace umbra {
namespace {

class Golden {
 protected:
  const SafeTensors golden_ = read_safetensors(UMBRA_SOURCE_DIR "/tests/golden/forest.safetensors");

  template <class T>
  std::span<const T> of(const std::string& name) const {
    const Tensor& tensor = golden_.at(name);
    return {tensor.values<T>().data(), static_cast<std::size_t>(tensor.count())};
  }
};

class ScikitLearnTest : public ::testing::TestWithParam<int>, protected Golden {
 protected:
  template <class T>
  std::span<const T> of_case(const char* name) const {
    return of<T>(concat("case", GetParam(), "/", name));
  }
};

TEST_P(ScikitLearnTest, GrowsTheSameTree) {
  const auto x = of<float>("x");
  const auto target = of<double>("target"), weights = of<double>("weights");
  const auto settings = of_case<std::int64_t>("options");
  ForestTable table;
  const std::size_t rows = target.size();
  for (std::size_t f = 0; f < x.size() / rows; ++f) table.add(concat("x", f), x.subspan(f * rows, rows));
  ForestOptions o;
  o.trees = 1;
  o.search = ForestOptions::Search::kExact;
  o.bootstrap = ForestOptions::Bootstrap::kNone;
  o.min_samples_leaf = settings[0];
  o.max_depth = static_cast<int>(settings[1]);
  const std::span<const double> none;
  const Forest forest = fit_forest({table, target, settings[2] != 0 ? weights : none, {}}, o);
  const ForestTree& tree = forest.trees[0];

  const auto feature = of_case<std::int64_t>("feature"), left = of_case<std::int64_t>("left"),
             right = of_case<std::int64_t>("right"), count = of_case<std::int64_t>("rows");
  const auto threshold = of_case<double>("threshold"), value = of_case<double>("value");
  ASSERT_EQ(tree.size(), feature.size());
  std::vector<std::pair<std::size_t, std::size_t>> waiting{{0, 0}};  // our node, theirs
  while (!waiting.empty()) {
    const auto [ours, theirs] = waiting.back();
    waiting.pop_back();
    const ForestNode& node = tree[ours];
    ASSERT_EQ(node.leaf(), left[theirs] < 0) << "node " << theirs;
    EXPECT_EQ(node.value, value[theirs]) << "node " << theirs;
    EXPECT_EQ(node.rows, count[theirs]) << "node " << theirs;
    if (node.leaf()) continue;
    ASSERT_EQ(node.feature, feature[theirs]) << "node " << theirs;
    ASSERT_EQ(node.threshold, threshold[theirs]) << "node " << theirs;
    const auto child = static_cast<std::size_t>(node.left);
    waiting.emplace_back(child, static_cast<std::size_t>(left[theirs]));
    waiting.emplace_back(child + 1, static_cast<std::size_t>(right[theirs]));
  }
  const std::vector<double> importance = decrease_of_variance(forest).mean;
  const auto expected = of_case<double>("importance");
  for (std::size_t f = 0; f < importance.size(); ++f) EXPECT_NEAR(importance[f], expected[f], 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Cases, ScikitLearnTest, ::testing::Range(0, 7));

struct MeanAndError {
  double mean = 0, error = 0;
};
MeanAndError over_seeds(const std::vector<double>& values) {
  MeanAndError out;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) out.mean += value / n;
  for (const double value : values) out.error += (value - out.mean) * (value - out.mean) / (n - 1) / n;
  out.error = std::sqrt(out.error);
  return out;
}

class ScikitLearnForests : public ::testing::Test, protected Golden {};

// When the first of several equal columns won, the importance of x0 was 28 errors too high.
TEST_F(ScikitLearnForests, AgreeOnTheImportanceOfNearCopies) {
  const auto x = of<float>("copies/x");
  const auto target = of<double>("copies/target"), theirs = of<double>("copies/importance");
  const std::size_t rows = target.size(), columns = x.size() / rows, seeds = theirs.size() / columns;
  ForestTable table;
  for (std::size_t f = 0; f < columns; ++f) table.add(concat("x", f), x.subspan(f * rows, rows));
  std::vector<std::vector<double>> ours(columns), expected(columns);
  for (std::size_t seed = 0; seed < seeds; ++seed) {
    ForestOptions o;
    o.trees = 50;
    o.max_depth = 0;
    o.min_samples_leaf = 1;
    o.search = ForestOptions::Search::kExact;
    o.seed = seed;
    const std::vector<double> share = decrease_of_variance(fit_forest({table, target, {}, {}}, o)).mean;
    for (std::size_t f = 0; f < columns; ++f) {
      ours[f].push_back(share[f]);
      expected[f].push_back(theirs[seed * columns + f]);
    }
  }
  for (std::size_t f = 0; f < columns; ++f) {
    const MeanAndError a = over_seeds(ours[f]), b = over_seeds(expected[f]);
    EXPECT_NEAR(a.mean, b.mean, 4 * std::hypot(a.error, b.error)) << "x" << f;
  }
}

}  // namespace
}  // namespace umbra
