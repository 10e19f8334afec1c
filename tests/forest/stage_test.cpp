// Reports of progress: complete, one at a time, and without effect on results.
#include "engine/base/stage.h"

#include <gtest/gtest.h>

#include "engine/cpu/parallel.h"
#include "models/forest/importance.h"
#include "models/forest/predict.h"
#include "models/forest/search.h"
#include "tests/fixtures/forest_samples.h"

namespace umbra {
namespace {

using namespace testing_forest;

// Keeps what is reported, and whether two threads reported at the same time.
struct Listener {
  std::vector<StageState> states;
  std::vector<std::string> names;
  std::atomic<int> inside{0};
  bool together = false;

  StageReport report() {
    return [this](const StageState& state) {
      together = together || inside++ > 0;
      states.push_back(state);
      names.emplace_back(state.name);
      --inside;
    };
  }
  // From 0 to `total`, never backwards, and to the end.
  void expect_whole(const std::string& name, std::int64_t total) {
    ASSERT_GE(states.size(), 3U);
    EXPECT_FALSE(together);
    EXPECT_EQ(states.front().done, 0);
    for (std::size_t i = 0; i < states.size(); ++i) {
      EXPECT_EQ(names[i], name);
      EXPECT_EQ(states[i].total, total);
      EXPECT_EQ(states[i].finished, i + 1 == states.size());
      if (i > 0) {
        EXPECT_GE(states[i].done, states[i - 1].done);
      }
    }
    EXPECT_EQ(states.back().done, total);
    states.clear();
    names.clear();
  }
};

TEST(Stage, ThreadsReportOneAtATimeAndNothingIsLost) {
  Listener listener;
  const StageReport report = listener.report();
  {
    Stage stage(report, "counting", 20000);
    parallel_for(20000, [&](std::int64_t) { stage.add(); });
  }
  listener.expect_whole("counting", 20000);
}

TEST(Stage, EndsWithAnException) {
  Listener listener;
  const StageReport report = listener.report(), nobody;
  try {
    Stage silent(nobody, "nothing", 3);
    silent.add();
    Stage stage(report, "failing", 3);
    stage.add();
    throw Error("x");
  } catch (const Error&) {
  }
  ASSERT_EQ(listener.states.size(), 3U);
  EXPECT_TRUE(listener.states.back().finished);
  EXPECT_EQ(listener.states.back().done, 1);
}

TEST(Stage, OfTheForestChangesNoResult) {
  const Sample s = sample(700, 3, 0, 5);
  const ForestTable table = s.table();
  const ForestData data{table, s.target, {}, {}};
  const ForestOptions options = options_of(Search::kBinned8, 20, 6, 2);
  Listener listener;
  const StageReport report = listener.report();
  const Forest forest = fit_forest(data, options, nullptr, report);
  listener.expect_whole("growing trees", 20);
  EXPECT_TRUE(same(forest, fit_forest(data, options)));

  for (const int trees : {1, 20}) {  // a single tree walks sorted rows
    const ForestPredictor predictor(forest, trees);
    const std::vector<double> predicted = predictor.predict(table, report);
    listener.expect_whole("predicting", 700);
    EXPECT_EQ(predicted, predictor.predict(table));
  }
  const std::vector<std::vector<int>> columns = single_columns(forest);
  EXPECT_EQ(permutation(forest, data, columns, report).mean, permutation(forest, data, columns).mean);
  listener.expect_whole("permuting columns", 20);
  EXPECT_EQ(unbiased_decrease(forest, data, report).mean, unbiased_decrease(forest, data).mean);
  listener.expect_whole("measuring the decrease of variance", 20);

  SearchRequest request;
  request.grid = {{5, 3}, {2, 4}, {0, 2}, {1}};
  request.folds = 2;
  const std::vector<SearchScore> quiet = search_forest(data, request);
  request.stages = report;
  const std::vector<SearchScore> loud = search_forest(data, request);
  listener.expect_whole("growing trees", 2 * 3 * 5);
  ASSERT_EQ(quiet.size(), loud.size());
  for (std::size_t i = 0; i < quiet.size(); ++i) EXPECT_EQ(quiet[i].fold_r2, loud[i].fold_r2);
}

}  // namespace
}  // namespace umbra
