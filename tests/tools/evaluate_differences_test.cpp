// The differences between models, box by box, in the table and the JSON of evaluate.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/error.h"
#include "tools/evaluate/scorer.h"
#include "tools/evaluate/smf_table.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

Json model(const std::string& name, const std::vector<double>& of_box, bool baseline) {
  Json scores = mean_and_error(of_box);
  scores["of_box"] = of_box;
  Json row = {{"name", name}, {"chi2", scores}, {"chi2_eq1", scores}};
  if (baseline) row["baseline"] = true;
  if (!baseline) row["run"] = name + " run";
  return row;
}

Json evaluation() {
  Json result = {{"validation_boxes", 4}, {"poisson_chi2", 1.5}};
  result["models"] = {model("mean SMF", {10, 20, 30, 40}, true), model("ridge", {4, 5, 6, 25}, true),
                      model("net", {6, 8, 7, 31}, false), model("better", {3, 4, 5, 2}, false)};
  return result;
}

TEST(EvaluateDifferences, AreOfTheBestBaselineAndPaired) {
  Json result = evaluation();
  add_differences(result, "");
  EXPECT_EQ(result["best_baseline"], "ridge");
  EXPECT_EQ(result["reference"], "ridge");
  EXPECT_FALSE(result["models"][1].contains("minus_reference"));
  for (const char* score : {"chi2", "chi2_eq1"}) {
    const Json minus = result["models"][2]["minus_reference"][score];  // 2, 3, 1, 6
    EXPECT_DOUBLE_EQ(minus["mean"].get<double>(), 3);
    EXPECT_DOUBLE_EQ(minus["standard_error"].get<double>(), std::sqrt((1 + 0 + 4 + 9) / 3.0 / 4.0));
    EXPECT_DOUBLE_EQ(minus["median"].get<double>(), 2.5);
  }
  EXPECT_DOUBLE_EQ(result["models"][1]["chi2"]["median"].get<double>(), 5.5);
  EXPECT_DOUBLE_EQ(mean_and_error({9, 1, 5})["median"].get<double>(), 5);

  const std::string table = smf_table(result);
  EXPECT_NE(table.find("net is beaten by a baseline, the ridge: its chi2 is 3.00 +- 1.08 higher\n"),
            std::string::npos)
      << table;
  EXPECT_EQ(table.find("better is beaten"), std::string::npos) << table;
  EXPECT_NE(table.find("+3.00 +-  1.08    +2.50"), std::string::npos) << table;
  EXPECT_NE(table.find("reference: ridge\n"), std::string::npos) << table;
}

TEST(EvaluateDifferences, WithinTwoStandardErrorsAreNoDefeat) {
  Json result = evaluation();
  result["models"].push_back(model("close", {4, 6, 5, 27}, false));  // 0, 1, -1, 2 more than ridge
  add_differences(result, "");
  const std::string table = smf_table(result);
  EXPECT_NE(
      table.find("close does not beat a baseline, the ridge: its chi2 is 0.50 +- 0.65 higher, less than "
                 "two standard errors\n"),
      std::string::npos)
      << table;
}

TEST(EvaluateDifferences, AreOfTheModelThatIsNamed) {
  Json result = evaluation();
  add_differences(result, "net run");
  EXPECT_EQ(result["best_baseline"], "ridge");
  EXPECT_EQ(result["reference"], "net");
  EXPECT_DOUBLE_EQ(result["models"][1]["minus_reference"]["chi2"]["mean"].get<double>(), -3);
  Json by_name = evaluation();
  add_differences(by_name, "mean SMF");
  EXPECT_EQ(by_name["reference"], "mean SMF");
  try {
    add_differences(by_name, "nett");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "--reference nett: there is no such model; expected one of 'mean SMF', 'ridge', 'net', 'better'");
  }
}

}  // namespace
}  // namespace umbra
