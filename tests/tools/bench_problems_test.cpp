// `gpu_check.sh measure` times what a training step at C = 200 launches, so that a time is measured for the estimates of
// tools/sass, and not much else: it has 20 s per op.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "bench/problems.h"
#include "engine/base/error.h"
#include "engine/registry/registry.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

using testing_tools::Outcome;
using testing_tools::run;

// Benchmarks that `measure` times of an op.
std::regex measured(std::string_view op) {
  const Outcome outcome =
      run(concat("cd " UMBRA_SOURCE_DIR "/tools/gpu && PYTHONDONTWRITEBYTECODE=1 python3 -c 'import parts; "
                 "print(parts.LAYERS.replace(\"OP\", \"",
                 op, "\"), end=\"\")'"));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  return std::regex(outcome.output);
}

TEST(BenchProblemsTest, HaveEveryConvolutionOfAStep) {
  const std::string program = UMBRA_BINARY_DIR "/tests/cuda/step_launches";
  if (!std::filesystem::exists(program)) GTEST_SKIP() << "this build has no emulated GPU";
  if (run("python3 --version").status != 0) GTEST_SKIP() << "no python3: gpu_check.sh cannot be run";
  std::set<std::string> timed;
  const Registry registry = make_registry();
  for (const std::string_view op : {"fprop", "dgrad", "wgrad"}) {
    const std::regex pattern = measured(op);
    const std::string name = concat("conv_", op);
    int with_peer = 0, as_launched = 0;
    for (const Ladder& ladder : registry.ladders()) {
      if (ladder.op != name) continue;
      for (const auto& [set, problems] : benchmark_problems(ladder, Device::Kind::kCuda)) {
        for (const auto& problem : problems) {
          const std::string text = problem->text();
          with_peer +=
              std::regex_search(concat(name, "/cudnn/", text, "/", set, "/manual_time"), pattern) ? 1 : 0;
          if (!std::regex_search(concat(name, "/cuda_7_cluster/", text, "/", set, "/manual_time"), pattern))
            continue;
          timed.insert(concat(name, " ", text));
          as_launched += set == "step" ? 1 : 0;
        }
      }
    }
    // Nine geometries, in bf16 and TF32; of dgrad six also with an addend.
    EXPECT_EQ(with_peer, 18) << name;
    EXPECT_EQ(as_launched, op == "dgrad" ? 30 : 18) << name;
  }
  for (const char* precision : {"bf16", "tf32"}) {
    const Outcome outcome = run(concat(program, " model.channels=200 --precision ", precision));
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    std::istringstream in(outcome.output);
    int convolutions = 0;
    for (std::string line; std::getline(in, line);) {
      const nlohmann::json op = nlohmann::json::parse(line);
      const std::string name = op["op"];
      if (!name.starts_with("conv_")) continue;
      ++convolutions;
      EXPECT_TRUE(timed.contains(concat(name, " ", op["problem"].get<std::string>()))) << line.substr(0, 200);
    }
    EXPECT_EQ(convolutions, 45);
  }
}

}  // namespace
}  // namespace umbra
