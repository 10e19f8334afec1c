// Predictions in groups of any size are bit-identical to those of all sub-boxes at once.
#include "tools/predict/prediction.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>

#include "data/mock/mock.h"
#include "engine/base/philox.h"
#include "models/tasks/smf/smf_task.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

class PredictionTest : public ::testing::Test {
 protected:
  PredictionTest() {
    folder_ = fs::temp_directory_path() / ("umbra_prediction_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  ~PredictionTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  // An untrained network, read from a checkpoint as in predict: it tests the groups as well as a trained one.
  // Its scalings come from the catalog itself.
  Networks fresh_network(RunConfig& config, const Transform& transform) const {
    Experiment learner(config, to_map(transform), "mock.h5");
    CheckpointInfo info;
    info.config = config.bind().dump();
    info.transform = to_map(transform);
    write_checkpoint(folder_ / "best.h5", info, learner.network().state(), {});
    return load_networks(folder_, "cpu");
  }

  void expect_the_same(const Catalog& catalog, double side, const std::string& features = "vpeak",
                       const std::string& parameters = "") {
    const fs::path file = folder_ / "catalog.h5";
    write_catalog(file, catalog);
    RunConfig config;
    config.bind().set({"device=cpu", "model.channels=4", concat("data.subbox_size=", side),
                       concat("data.features=", features)});
    if (!parameters.empty()) config.bind().set({concat("data.parameters=", parameters)});
    const SmfSettings& settings = smf_settings(*config.task);
    BoxOptions options = settings.box_options();
    const std::vector<std::int64_t> first{0, 1, 2};
    options.references = fit_references(read_catalog(file), options, first);
    BoxSet boxes = make_boxes(read_catalog(file), options);
    const std::int64_t count = boxes.count;
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < count; ++i) all.push_back(i);
    const Transform transform = fit_transform(boxes, all, settings);
    const Networks networks = fresh_network(config, transform);
    Experiment& experiment = *networks.front();
    const std::vector<double> expected_fingerprint = fingerprint(boxes);
    scale_inputs(boxes, transform);
    const BoxDataset data(boxes, all, {});
    const std::vector<double> expected = finite_predictions(
        experiment.context(), experiment.objective(), Loader(data, {64, 0, false, false, false}), "here");
    for (const BoxStreamLimits limits :
         {BoxStreamLimits{}, {3, 500, 700}, {1, 1 << 20, 1 << 20}, {64, 1, 999}}) {
      BoxStream stream(file, box_options_of_run(settings, experiment.fitted(), "here"), folder_, limits);
      const Predictions got = predict_stream(stream, networks, "here");
      EXPECT_EQ(got.boxes.count, count);
      EXPECT_EQ(got.phi, std::vector<float>(expected.begin(), expected.end())) << limits.boxes;
      EXPECT_EQ(got.boxes.smf, boxes.smf);
      EXPECT_EQ(got.boxes.box, boxes.box);
      EXPECT_EQ(got.boxes.edges, boxes.edges);
      EXPECT_EQ(got.fingerprint, expected_fingerprint);
    }
  }
  fs::path folder_;
};

// With bf16 the weights are rounded while they are read: close to fp32 on every CPU, but different.
TEST_F(PredictionTest, InBf16) {
  mock::Options options;
  options.box_size = 75;
  const fs::path file = folder_ / "catalog.h5";
  write_catalog(file, mock::make(options).catalog);
  RunConfig config;
  config.bind().set({"device=cpu", "model.channels=8"});
  const SmfSettings& settings = smf_settings(*config.task);
  const BoxSet boxes = make_boxes(read_catalog(file), settings.box_options());
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < boxes.count; ++i) all.push_back(i);
  fresh_network(config, fit_transform(boxes, all, settings));
  std::vector<std::vector<float>> phi;
  for (const std::optional<Precision> precision :
       {std::optional<Precision>(), std::optional(Precision::kF32), std::optional(Precision::kBf16)}) {
    const Networks networks = load_networks(folder_, "cpu", precision);
    BoxStream stream(file, settings.box_options(), folder_, {});
    phi.push_back(predict_stream(stream, networks, "here").phi);
  }
  EXPECT_EQ(phi[0], phi[1]);  // the statistics of training
  float largest = 0, furthest = 0;
  for (std::size_t i = 0; i < phi[1].size(); ++i) {
    largest = std::max(largest, std::abs(phi[1][i]));
    furthest = std::max(furthest, std::abs(phi[1][i] - phi[2][i]));
  }
  EXPECT_GT(furthest, 0);
  EXPECT_LT(furthest, 0.02f * largest);
}

TEST_F(PredictionTest, ARunOfACatalogDoesNotTakeImages) {
  std::ofstream(folder_ / "galaxy.png") << "is not read";
  try {
    check_kind("the run", *make_task("smf"), folder_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "the run: this run was trained on a catalog, but " +
                                             folder_.string() + " is a folder of images");
  }
  check_kind("the run", *make_task("dataset"), folder_);
}

TEST_F(PredictionTest, OfAMock) {
  mock::Options options;
  options.box_size = 75;
  expect_the_same(mock::make(options).catalog, 25);
}

TEST_F(PredictionTest, WithTheReferenceRelationsOfTheRun) {
  mock::Options options;
  options.box_size = 75;
  expect_the_same(mock::make(options).catalog, 25, "occupancy,residual(mvir),count,residual(spin*mvir)");
}

TEST_F(PredictionTest, OfManyCubesInNoOrder) {
  Catalog catalog;
  catalog.box_size = 25;
  catalog.boxes = 70;
  const Rng rng(9, Purpose::kTest);
  for (std::uint64_t i = 0; i < 4000; ++i) {
    for (std::uint64_t axis = 0; axis < 3; ++axis)
      catalog.columns[std::string(1, "xyz"[axis])].push_back(25 * rng.uniform(8 * i + axis));
    catalog.columns["vpeak"].push_back(100 / std::sqrt(rng.uniform(8 * i + 3) + 0.01));
    catalog.columns["stellar_mass"].push_back(std::pow(10, 10 + 1.8 * rng.uniform(8 * i + 5)));
    catalog.integers["box"].push_back(static_cast<std::int64_t>(rng.below(8 * i + 6, 70)));
  }
  for (int cube = 0; cube < 70; ++cube) catalog.box_parameters["A_SN1"].push_back(1 + cube);
  expect_the_same(catalog, 25);
  expect_the_same(catalog, 25, "vpeak", "A_SN1,log10(A_SN1)");
}

}  // namespace
}  // namespace umbra
