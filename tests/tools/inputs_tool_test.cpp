// data.features, data.parameters and the settings of the loss from the command line: what a run has fitted is what
// evaluate and predict use.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/catalogs/catalog.h"
#include "engine/base/philox.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

// 24 cubes of 200 halos each; the parameter of a cube scales the masses of its galaxies.
class InputsToolTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::create_directories(folder());
    Catalog catalog;
    catalog.box_size = 25;
    catalog.boxes = 24;
    catalog.source = "a test";
    const Rng rng(4, Purpose::kTest);
    for (std::uint64_t i = 0; i < 24 * 200; ++i) {
      const auto cube = static_cast<std::int64_t>(i / 200);
      for (std::uint64_t axis = 0; axis < 3; ++axis)
        catalog.columns[std::string(1, "xyz"[axis])].push_back(25 * rng.uniform(8 * i + axis));
      const double vpeak = 120 / std::cbrt(rng.uniform(8 * i + 3) + 0.01);
      catalog.columns["vpeak"].push_back(vpeak);
      catalog.columns["mvir"].push_back(2e11 * std::pow(vpeak / 100, 3) *
                                        (0.7 + 0.6 * rng.uniform(8 * i + 4)));
      catalog.columns["stellar_mass"].push_back(1e10 * std::pow(vpeak / 150, 3) *
                                                (1 + 0.1 * static_cast<double>(cube)));
      catalog.integers["box"].push_back(cube);
    }
    for (int cube = 0; cube < 24; ++cube) catalog.box_parameters["A_SN1"].push_back(1 + 0.1 * cube);
    write_catalog(folder() / "c.h5", catalog);
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_inputs_" + std::to_string(getpid()));
  }
  static Outcome train(const std::string& out, const std::string& more) {
    return run("train --data " + (folder() / "c.h5").string() + " --out " + (folder() / out).string() +
               " device=cpu model.channels=3 data.voxels=8 train.epochs=2 " + more);
  }
  // The lowest validation chi2 among the rows of metrics.csv.
  static double best(const std::string& out) {
    std::istringstream in(bytes(folder() / out / "metrics.csv"));
    double lowest = 1e300;
    for (std::string line; std::getline(in, line);) {
      std::vector<std::string> fields;
      std::istringstream row(line);
      for (std::string field; std::getline(row, field, ',');) fields.push_back(field);
      if (fields.size() > 4 && fields[2] == "validation") lowest = std::min(lowest, std::stod(fields[4]));
    }
    return lowest;
  }
  static double evaluated(const std::string& out) {
    const Outcome outcome =
        run("evaluate --data " + (folder() / "c.h5").string() + " --run " + (folder() / out).string() +
            " --overwrite --out " + (folder() / "e.json").string());
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    return nlohmann::json::parse(bytes(folder() / "e.json"))["models"].back()["chi2"]["mean"].get<double>();
  }
  static std::vector<double> fitted(const std::string& out, const std::string& name) {
    return Hdf5File::open(folder() / out / "best.h5").read<double>("transform/" + name);
  }
};

TEST_F(InputsToolTest, EvaluateUsesTheReferencesOfTheRun) {
  const Outcome outcome = train("residual", "'data.features=vpeak,residual(mvir),count,occupancy'");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const std::vector<double> references = fitted("residual", "references");
  ASSERT_EQ(references.size(), 3U);
  EXPECT_NEAR(references[0], std::log10(2e11 * 8), 0.1);  // at 200 km/s
  EXPECT_NEAR(references[1], 3, 0.3);
  EXPECT_NEAR(evaluated("residual"), best("residual"), 1e-3 * best("residual"));
}

// A network with many inputs is compared with baselines that have them, whatever the first run had.
TEST_F(InputsToolTest, BaselinesKnowTheFeaturesOfAllRuns) {
  ASSERT_EQ(train("few", "data.features=vpeak").status, 0);
  ASSERT_EQ(train("many", "'data.features=vpeak,residual(mvir),count'").status, 0);
  const auto scores = [](const std::string& runs) {
    const Outcome outcome = run("evaluate --data " + (folder() / "c.h5").string() + " --run " + runs +
                                " --overwrite --out " + (folder() / "e.json").string());
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    std::map<std::string, double> all;
    const auto result = nlohmann::json::parse(bytes(folder() / "e.json"));
    for (const auto& model : result["models"])
      if (model.value("baseline", false)) all[model["name"]] = model["chi2"]["mean"];
    return all;
  };
  const std::string few = (folder() / "few").string(), many = (folder() / "many").string();
  EXPECT_FALSE(scores(few).contains("Gaussian process on all features"));
  EXPECT_TRUE(scores(many).contains("Gaussian process on all features"));
  EXPECT_EQ(scores(few + " " + many), scores(many));
  EXPECT_EQ(scores(many + " " + few), scores(many));
}

TEST_F(InputsToolTest, EvaluateUsesTheScalesOfTheParameters) {
  for (const std::string where : {"fc1", "film", "channels"}) {
    const Outcome outcome = train(where, "'data.parameters=A_SN1,log10(a_sn1)' model.parameters=" + where);
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_EQ(fitted(where, "parameter_scale").size(), 2U);
    EXPECT_NEAR(evaluated(where), best(where), 1e-3 * best(where));
  }
  EXPECT_NE(best("fc1"), best("channels"));
}

// The log link: exp of a standard normal output has the mean of the labels, and no prediction is negative.
TEST_F(InputsToolTest, WithALogLinkThePredictionIsPositiveAndTheScoreThatOfTheRun) {
  const std::pair<std::string, std::string> runs[] = {
      {"log", "loss.link=log"},
      {"likelihood", "loss.link=log loss.name=poisson"},
      {"both", "loss.link=log loss.name=chi2_log loss.poisson=2 data.per_dex=true model.pooled=4"}};
  for (const auto& [name, settings] : runs) {
    SCOPED_TRACE(settings);
    const Outcome outcome = train(name, settings);
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_NEAR(evaluated(name), best(name), 1e-3 * best(name));
    const Outcome predicted =
        run("predict --data " + (folder() / "c.h5").string() + " --run " + (folder() / name).string() +
            " --overwrite --out " + (folder() / "p.h5").string());
    ASSERT_EQ(predicted.status, 0) << predicted.output;
    const std::vector<double> phi = Hdf5File::open(folder() / "p.h5").read<double>("smf_predicted");
    const std::vector<double> truth = Hdf5File::open(folder() / "p.h5").read<double>("smf_true");
    EXPECT_GT(*std::ranges::min_element(phi), 0);
    EXPECT_EQ(*std::ranges::min_element(truth), 0);  // some bins are empty
    const std::vector<double> shift = fitted(name, "label_shift"), scale = fitted(name, "label_scale");
    double mean = 0;  // of the first bin over all boxes, near that of the training boxes
    for (std::size_t box = 0; box < 24; ++box) mean += truth[box * shift.size()] / 24;
    EXPECT_NEAR(shift[0] + scale[0] * scale[0] / 2, std::log(mean), 0.15);
    EXPECT_GE(*std::ranges::min_element(scale), 0.1);
    EXPECT_LT(*std::ranges::max_element(scale), 2);
  }
  EXPECT_NE(bytes(folder() / "log" / "best.safetensors"),
            bytes(folder() / "likelihood" / "best.safetensors"));
}

TEST_F(InputsToolTest, TheTwoDimensionalNetworkTakesParametersAtFc1) {
  const Outcome outcome = train("2d", "model.name=um_resnet2d data.parameters=A_SN1");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NEAR(evaluated("2d"), best("2d"), 1e-3 * best("2d"));
  const Outcome dry = train("2d", "--dry-run model.name=um_resnet2d data.parameters=A_SN1");
  EXPECT_NE(dry.output.find("[320, 13]"), std::string::npos) << dry.output;  // 4 C of the map, one parameter
}

TEST_F(InputsToolTest, MistakesAreSentences) {
  const std::pair<const char*, const char*> cases[] = {
      {"'data.features=vpeak,residaul(mvir)'", "did you mean 'residual'?"},
      {"data.features=vpeka", "data.features=vpeka: there is no column 'vpeka'; did you mean 'vpeak'?"},
      {"'data.features=log10(stellar_mass)'", "data.features: stellar_mass may not be an input"},
      {"'data.features=residual(rmax)'", "no column 'rmax'"},
      {"data.parameters=A_SN2", "no parameter 'A_SN2' of its cubes; did you mean 'A_SN1'?"},
      {"data.parameters=A_SN1 model.parameters=fc2", "fc1"},
      {"loss.name=poisson", "loss.name=poisson needs loss.link=log, because"},
      {"loss.poisson=0.5", "loss.poisson=0.5 needs loss.link=log, because"},
      {"loss.name=poisson loss.poisson=2 loss.link=log", "not to poisson"},
      {"loss.name=mse loss.link=log", "loss.name=mse needs loss.link=identity"},
      {"loss.link=logit", "identity"},
      {"model.parameters=film",
       "model.parameters=film says where the parameters of a box enter, but there are none"},
      {"model.pooled=4 model.parameters=channels data.parameters=A_SN1",
       "needs model.parameters=fc1 or film"},
      {"data.parameters=A_SN1 model.name=um_resnet2d model.parameters=film", "no setting model.parameters"}};
  for (const auto& [setting, part] : cases) {
    const Outcome outcome = train("wrong", setting);
    EXPECT_EQ(outcome.status, 1) << setting;
    EXPECT_NE(outcome.output.find(part), std::string::npos) << setting << "\n" << outcome.output;
  }
}

}  // namespace
}  // namespace umbra
