// Runs with data.input=halos from the command line: they learn, are resumed bit for bit, do not depend on threads, and
// predict catalogs with longer lists than they were trained on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

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

// Cubes with 40 to 80 halos (times `factor`), whose galaxies have a mass that depends on vpeak and on a property of the
// cube. vdisp senses it.
Catalog cubes(std::int64_t count, std::uint64_t seed, std::uint64_t factor) {
  Catalog catalog;
  catalog.box_size = 25;
  catalog.boxes = count;
  catalog.source = "a test";
  const Rng rng(seed, Purpose::kTest);
  std::uint64_t draw = 0;
  for (std::int64_t cube = 0; cube < count; ++cube) {
    const double efficiency = 0.4 * rng.normal(draw++);
    const std::uint64_t halos = factor * (40 + rng.below(draw++, 40));
    for (std::uint64_t i = 0; i < halos; ++i) {
      for (const char* axis : {"x", "y", "z"}) catalog.columns[axis].push_back(25 * rng.uniform(draw++));
      const double vpeak = 120 / std::cbrt(rng.uniform(draw++) + 0.01);
      catalog.columns["vpeak"].push_back(vpeak);
      catalog.columns["vdisp"].push_back(vpeak * std::pow(10, 0.3 * efficiency + 0.02 * rng.normal(draw++)));
      catalog.columns["stellar_mass"].push_back(
          std::pow(10, 10.5 + 3 * std::log10(vpeak / 200) + efficiency + 0.15 * rng.normal(draw++)));
      catalog.integers["box"].push_back(cube);
    }
  }
  return catalog;
}

class HalosToolTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::create_directories(folder());
    write_catalog(folder() / "c.h5", cubes(200, 4, 1));
    write_catalog(folder() / "more.h5", cubes(20, 5, 2));
    const Outcome outcome =
        train("run", "train.epochs=40 train.batch=8 train.learning_rate=0.01 loss.poisson=10");
    EXPECT_EQ(outcome.status, 0) << outcome.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_halos_" + std::to_string(getpid()));
  }
  static std::string in(const std::string& name) { return (folder() / name).string(); }
  // The least validation chi2 of the epochs.
  static double best(const std::string& out) {
    std::istringstream metrics(bytes(in(out) + "/metrics.csv"));
    double lowest = 1e300;
    for (std::string line; std::getline(metrics, line);) {
      std::vector<std::string> fields;
      std::istringstream row(line);
      for (std::string field; std::getline(row, field, ',');) fields.push_back(field);
      if (fields.size() > 4 && fields[2] == "validation") lowest = std::min(lowest, std::stod(fields[4]));
    }
    return lowest;
  }
  static Outcome train(const std::string& out, const std::string& more, const std::string& prefix = "") {
    return run(
        prefix + "train --data " + in("c.h5") + " --out " + in(out) +
        " device=cpu model.name=um_halos data.input=halos "
        "'data.features=log10(vpeak),residual(vdisp),neighbours(3)' model.hidden=16 model.embedding=8 " +
        more);
  }
};

TEST_F(HalosToolTest, ANetworkLearnsThePhysicsOfABoxFromItsHalos) {
  const Outcome outcome =
      run("evaluate --data " + in("c.h5") + " --run " + in("run") + " --out " + in("e.json"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const auto models = nlohmann::json::parse(bytes(in("e.json")))["models"];
  const auto chi2 = [](const auto& model) { return model["chi2"]["mean"].template get<double>(); };
  EXPECT_LT(chi2(models.back()), 0.7 * chi2(models.front())) << outcome.output;  // the mean SMF
  EXPECT_NEAR(chi2(models.back()), best("run"), 1e-5 * best("run"));
}

TEST_F(HalosToolTest, SameBitsForAnyNumberOfThreadsAndAfterResuming) {
  ASSERT_EQ(train("one", "train.epochs=2", "OMP_NUM_THREADS=1 ").status, 0);
  ASSERT_EQ(train("three", "train.epochs=2", "OMP_NUM_THREADS=3 ").status, 0);
  const std::string weights = bytes(in("one") + "/best.safetensors");
  ASSERT_FALSE(weights.empty());
  EXPECT_EQ(weights, bytes(in("three") + "/best.safetensors"));
  ASSERT_EQ(train("constant", "train.epochs=1 train.schedule=constant").status, 0);
  const Outcome resumed =
      run("train --resume --data " + in("c.h5") + " --out " + in("constant") + " train.epochs=2");
  ASSERT_EQ(resumed.status, 0) << resumed.output;
  ASSERT_EQ(train("whole", "train.epochs=2 train.schedule=constant").status, 0);
  EXPECT_EQ(bytes(in("constant") + "/best.safetensors"), bytes(in("whole") + "/best.safetensors"));
}

TEST_F(HalosToolTest, PredictsCatalogsWithLongerLists) {
  const Outcome outcome =
      run("predict --run " + in("run") + " --data " + in("more.h5") + " --out " + in("p.h5"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const Hdf5File file = Hdf5File::open(in("p.h5"));
  const auto predicted = file.read<float>("smf_predicted"), truth = file.read<float>("smf_true");
  double sum = 0, of_truth = 0;
  for (const float phi : predicted) sum += static_cast<double>(phi);
  for (const float phi : truth) of_truth += static_cast<double>(phi);
  EXPECT_NEAR(sum / of_truth, 1, 0.3);
}

TEST_F(HalosToolTest, InfoAndDryRunKnowLists) {
  const Outcome info = run("info " + in("run"));
  EXPECT_EQ(info.status, 0) << info.output;
  EXPECT_NE(info.output.find("um_halos"), std::string::npos) << info.output;
  const Outcome dry =
      run("train --dry-run --data " + in("c.h5") + " device=cpu model.name=um_halos data.input=halos");
  EXPECT_EQ(dry.status, 0) << dry.output;
  EXPECT_NE(dry.output.find("background.weight"), std::string::npos) << dry.output;
}

TEST_F(HalosToolTest, MistakesAreSentences) {
  const std::pair<const char*, const char*> cases[] = {
      {"data.features=vpeak,count", "data.features=count: occupancy and count are properties of voxels"},
      {"data.input=voxels data.features=vpeak",
       "model.name=um_halos takes lists of halos; set data.input=halos"},
      {"data.input=voxels", "data.features=neighbours(3): neighbours(r) is a property of a halo in a list"}};
  for (const auto& [setting, part] : cases) {
    const Outcome outcome = train("wrong", setting);
    EXPECT_EQ(outcome.status, 1) << setting;
    EXPECT_NE(outcome.output.find(part), std::string::npos) << setting << "\n" << outcome.output;
  }
  const Outcome grids =
      run("train --data " + in("c.h5") + " --out " + in("wrong") + " device=cpu data.input=halos");
  EXPECT_NE(
      grids.output.find("model.name=um_resnet takes grids, but data.input=halos; set model.name=um_halos"),
      std::string::npos)
      << grids.output;
}

}  // namespace
}  // namespace umbra
