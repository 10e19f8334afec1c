// The networks that um_resnet is compared with take the same catalog, learn, and every tool knows them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

struct Compared {
  const char* settings;
  const char* label;
};
constexpr Compared kCompared[] = {
    {"model.name=um_resnet2d", "um_resnet2d C=20"},
    {"model.name=um_resnet2d model.blocks=plain model.channels=10", "um_resnet2d plain C=10"},
    {"model.name=um_dense", "um_dense"}};

TEST(ComparisonModels, TrainAndEvaluateOnTheSameCatalog) {
  const fs::path folder = fs::path(testing::TempDir()) / ("umbra_comparison_" + std::to_string(getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  const auto must = [](const std::string& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
    return outcome.output;
  };
  must("mock --box-size 100 --out " + path("c.h5"));
  std::string runs;
  for (const auto& [settings, label] : kCompared) {
    const std::string of = concat("train --data ", path("c.h5"), " device=cpu ", settings,
                                  " data.voxels=10 train.epochs=40 train.batch=8 ");
    const std::string dry = must(of + "--dry-run");
    EXPECT_NE(dry.find("fc1.weight"), std::string::npos) << dry;
    must(of + "--out '" + path(label) + "'");
    const std::string info = must("info '" + path(label) + "'");
    EXPECT_NE(info.find(label), std::string::npos) << info;
    runs += " '" + path(label) + "'";
  }
  must("evaluate --data " + path("c.h5") + " --run" + runs + " --out " + path("e.json"));
  const nlohmann::json models = nlohmann::json::parse(bytes(folder / "e.json"))["models"];
  const auto chi2_of = [&](const std::string& name) {
    for (const auto& model : models)
      if (model["name"].get<std::string>().starts_with(name)) return model["chi2"]["mean"].get<double>();
    ADD_FAILURE() << "no " << name << " in the evaluation";
    return 0.0;
  };
  const double mean = chi2_of("mean SMF");
  for (const Compared& of : kCompared) EXPECT_LT(chi2_of(concat(of.label, " (")), 0.7 * mean) << of.label;
  fs::remove_all(folder);
}

}  // namespace
}  // namespace umbra
