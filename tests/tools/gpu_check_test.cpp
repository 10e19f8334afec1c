// Runs all of tools/gpu_check.sh with stand-ins for the programs of a bundle: some hang, some crash, some print
// results. All limits are a twentieth of the real ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/fixtures/folder_test.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing_tools::Outcome;
using testing_tools::run;
using Names = std::vector<std::string>;

constexpr const char* kMachine = R"(echo '{"gpu": "a stand-in", "peak_gflops": 1, "copy_gbs": 1}')";

// One test hangs, one is ended by a signal and one fails.
constexpr const char* kTests = R"(case "$*" in
*--gtest_list_tests*) cat <<'END'
Running main() from gtest_main.cc
Protocol.
  BoxesArrive
EverySize/ProtocolProducts.
  ArePlain/bf16_n32  # GetParam() = (1, 32)
  ArePlain/bf16_n200  # GetParam() = (1, 200)
EveryRung/CudaGauntlet.
  Survives/conv_cuda_6_specialised_cuda_f32  # GetParam() = conv_cuda_6
  Survives/conv_cuda_7_cluster_cuda_f32  # GetParam() = conv_cuda_7
  Survives/conv_cudnn_cuda_f32  # GetParam() = cudnn
  Survives/relu_cuda_1_naive_cuda_f32  # GetParam() = relu
CudaTrain.
  FollowsTheCpu
Swizzle.
  NeedsNoGpu
END
;;
*specialised*) echo '[ RUN      ]'; sleep 60 & sleep 60 ;;
*cluster*) kill -SEGV $$ ;;
*FollowsTheCpu*) echo 'train_test.cpp:5: Failure'; echo 'Expected equality'; exit 1 ;;
*) [ "$OMP_NUM_THREADS" = 1 ] && echo '[       OK ]' ;;
esac)";

// The best kernels crash; those of FALLBACK do not.
constexpr const char* kStep = R"(case "$*" in
*cuda_3_mma* | *fp32*) echo '{"program": "umbra", "total_ms": [3, 2.5, 2]}' ;;
*) kill -ABRT $$ ;;
esac)";

// Matrix products hang in their second kernel, weight gradients are ended by a signal, others succeed.
constexpr const char* kKernels = R"(filter=; out=
for argument; do
  case $argument in
  --benchmark_filter=*) filter=${argument#*=} ;;
  --benchmark_out=*) out=${argument#*=} ;;
  --benchmark_list_tests) printf 'op/first/p/set/manual_time\nop/second/p/set/manual_time\n'; exit ;;
  esac
done
entry() { printf '    {"run_name": "op/%s/p/set/manual_time", "aggregate_name": "median", "real_time": %s,\n      "time_unit": "ns"\n    }' "$1" "$2"; }
{ printf '{"benchmarks": [\n'; entry first 10; printf ',\n'; } >"$out"
case $filter in
*squares*) sleep 60 ;;
*conv_wgrad*) kill -SEGV $$ ;;
esac
{ entry second 20; printf '\n]}\n'; } >>"$out")";

// What tools/sass_check.sh --json writes.
constexpr const char* kModel =
    R"({"clusters": {"2": 66, "3": 40, "8": 15}, "kernels": {"op/first/p": {"us": 12.5, "cluster": 4}, "op/second/p": {"us": 3},
 "op/third/p": {"us": 40.25, "cluster": 8}}, "steps": {"200 fp32": {"us": 2600, "launches": 185}}})";

constexpr const char* kPyTorch = R"(import sys
print('{"program": "pytorch plain", "launch": "graph", "precision": "bf16", "total_ms": [4, 5, 6]}', flush=True)
sys.exit("no more memory"))";

class GpuCheckTest : public FolderTest {
 protected:
  void SetUp() override {
    if (run("python3 --version").status != 0) GTEST_SKIP() << "no python3: gpu_check.sh cannot be run";
    make_bundle("bundle");
    script("path/nvidia-smi", "exit 9");  // pretends that this machine has no GPU
  }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  void script(const std::string& name, const std::string& body) const {
    write(name, "#!/bin/bash\n" + body + "\n");
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }
  void make_bundle(const std::string& name) const {
    script(name + "/bin/machine", kMachine);
    script(name + "/bin/cuda_tests", kTests);
    script(name + "/bin/train_step", kStep);
    script(name + "/bin/bench_kernels", kKernels);
    write(name + "/peers/pytorch_um_resnet.py", kPyTorch);
    write(name + "/commit", "abc");
    const fs::path tools = fs::path(UMBRA_SOURCE_DIR) / "tools";
    fs::copy(tools / "gpu_check.sh", folder_ / name / "gpu_check.sh");
    fs::copy(tools / "gpu", folder_ / name / "gpu");
    fs::copy(tools.parent_path() / "bench/report.py", folder_ / name / "report.py");
  }

  Outcome check(const std::string& arguments) const {
    return run("cd '" + folder_.string() +
               "' && PATH=$PWD/path:$PATH UMBRA_CHECK_SCALE=0.05 PYTHONDONTWRITEBYTECODE=1 "
               "bash bundle/gpu_check.sh " +
               arguments);
  }
  Json report(const std::string& part) const {
    return Json::parse(testing_tools::bytes(folder_ / "out" / (part + ".json")));
  }
  static Json stage(const Json& report, const std::string& name) {
    for (const Json& one : report.at("stages"))
      if (one.at("stage") == name) return one;
    ADD_FAILURE() << "no stage " << name;
    return {};
  }
  static Names names(const Json& stage, const char* how) { return stage.value(how, Names()); }
  static std::string said(const Json& stage) { return stage.at("said").dump(); }

  // Every stage ran within its limit, and there are one report and one archive.
  void expect_whole(const std::string& part, const Names& stages) const {
    const Json all = report(part);
    Names ran;
    for (const Json& one : all.at("stages")) {
      ran.push_back(one.at("stage"));
      EXPECT_LE(one.at("seconds").get<double>(), one.at("limit").get<double>() + 50) << one;
    }
    EXPECT_EQ(ran, stages);
    EXPECT_LE(all.at("seconds").get<double>(), all.at("limit").get<double>());
    EXPECT_LT(fs::file_size(folder_ / "out" / (part + ".tar.gz")), 16u << 20);
    EXPECT_FALSE(fs::exists(folder_ / "out" / (part + ".logs")));
  }
};

TEST_F(GpuCheckTest, LimitsOfStagesAddUpToThePartsTime) {
  const Outcome plan = check("plan");
  EXPECT_EQ(plan.status, 0) << plan.output;
  std::istringstream in(plan.output);
  std::map<std::string, double> sum;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string part, name;
    double limit = 0;
    words >> part >> name >> limit;
    if (name != "total") sum[part] += limit;
  }
  EXPECT_GT(sum["triage"], 200) << plan.output;
  EXPECT_LE(sum["triage"], 300);
  EXPECT_LE(sum["measure"], 300);
  EXPECT_LE(sum["change"], 180);
  EXPECT_LE(sum["triage"] + sum["measure"] + sum["change"], 15 * 60);
}

TEST_F(GpuCheckTest, TriageNamesWhatHangsAndCrashes) {
  const Outcome outcome = check("triage out");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  expect_whole("triage", {"machine", "environment", "protocol", "tests", "step"});
  const Json all = report("triage"), tests = stage(all, "tests"), protocol = stage(all, "protocol");
  EXPECT_EQ(protocol.at("status"), "passed") << protocol;
  EXPECT_EQ(protocol.at("passed"), 3);
  EXPECT_EQ(tests.at("status"), "failed");
  EXPECT_EQ(tests.at("timed_out"), true);
  EXPECT_EQ(tests.at("passed"), 1) << tests;
  EXPECT_EQ(names(tests, "hung"), Names{"EveryRung/CudaGauntlet.Survives/conv_cuda_6_specialised_cuda_f32"});
  EXPECT_EQ(names(tests, "crashed"), Names{"EveryRung/CudaGauntlet.Survives/conv_cuda_7_cluster_cuda_f32"});
  EXPECT_EQ(names(tests, "failed"), Names{"CudaTrain.FollowsTheCpu"});
  EXPECT_NE(said(tests).find("SIGSEGV"), std::string::npos) << tests;
  EXPECT_NE(said(tests).find("Expected equality"), std::string::npos) << tests;
  const Json step = stage(all, "step");
  EXPECT_EQ(step.at("status"), "crashed");
  EXPECT_NE(said(step).find("conv3d=cuda_3_mma,linear=cuda_3_mma: 2.500 ms"), std::string::npos) << step;
  EXPECT_NE(outcome.output.find("conv_cuda_6_specialised_cuda_f32 hung"), std::string::npos)
      << outcome.output;

  ASSERT_EQ(check("measure out --stages again").status, 1);
  const Json again = stage(report("measure"), "again");
  EXPECT_EQ(names(again, "hung"), names(tests, "hung"));
  EXPECT_EQ(names(again, "crashed"), names(tests, "crashed"));
}

TEST_F(GpuCheckTest, MeasuringKeepsWhatWasMeasuredBeforeAFailure) {
  EXPECT_EQ(check("measure out").status, 1);
  expect_whole("measure", {"machine", "pytorch", "step_bf16", "step_tf32", "step_fp32", "squares",
                           "layers200_fprop", "layers200_dgrad", "layers200_wgrad", "again", "tables"});
  const Json all = report("measure"), pytorch = stage(all, "pytorch"), squares = stage(all, "squares");
  EXPECT_EQ(pytorch.at("status"), "failed");
  EXPECT_NE(said(pytorch).find("pytorch plain graph bf16: 5.000 ms"), std::string::npos) << pytorch;
  EXPECT_NE(said(pytorch).find("no more memory"), std::string::npos) << pytorch;
  EXPECT_EQ(stage(all, "step_fp32").at("status"), "passed");
  EXPECT_EQ(stage(all, "step_bf16").at("status"), "crashed");
  EXPECT_EQ(squares.at("status"), "cut short") << squares;
  EXPECT_EQ(squares.at("timed_out"), true);
  EXPECT_EQ(squares.at("during"), "op/second/p/set/manual_time");
  EXPECT_EQ(stage(all, "layers200_fprop").at("status"), "passed");
  EXPECT_EQ(stage(all, "layers200_wgrad").at("status"), "crashed");
  EXPECT_EQ(stage(all, "layers200_wgrad").at("during"), "op/second/p/set/manual_time");
  EXPECT_EQ(stage(all, "again").at("status"), "skipped");
  const Json tables = stage(all, "tables");
  EXPECT_EQ(tables.at("status"), "passed");
  EXPECT_EQ(tables.at("said"), Json::array({"this bundle has no estimates of the model"}));
}

TEST_F(GpuCheckTest, EstimatesOfTheModelFollowWhatWasMeasured) {
  write("bundle/model.json", kModel);
  const Outcome outcome = check("measure out --stages step_fp32,layers200_fprop,tables");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  const Json all = report("measure"), tables = stage(all, "tables");
  EXPECT_NE(
      said(stage(all, "step_fp32")).find("2.500 ms, median of 3 steps; by the model 2.600 ms, 185 launches"),
      std::string::npos)
      << outcome.output;
  EXPECT_EQ(tables.at("said"), Json::array({"op/first/p: 0.01 µs, by the model 12.50 µs, clusters of 4",
                                            "op/second/p: 0.02 µs, by the model 3.00 µs"}))
      << tables;
  EXPECT_NE(outcome.output.find("clusters of 4"), std::string::npos) << outcome.output;
  const std::string table =
      run("tar xzOf " + (folder_ / "out/measure.tar.gz").string() + " measure/gpu_kernels.md").output;
  for (const char* line :
       {"| problem | rung | time, µs | model, µs | blocks of a cluster | useful TFLOP/s |",
        "| p (set) | `first` | 0.01 | 12.5 | 4 | 0 |", "| p (set) | `second` | 0.02 | 3 |  | 0 |"})
    EXPECT_NE(table.find(line), std::string::npos) << line << "\n" << table;
}

// Plans do not ask the GPU how many clusters it runs at a time. With fewer than in their table there is a second wave.
TEST_F(GpuCheckTest, FewerClustersThanPlannedAreNamed) {
  write("bundle/model.json", kModel);
  const auto said_of = [&](const std::string& clusters) {
    script("bundle/bin/machine", R"(echo '{"gpu": "a stand-in", "resident_clusters": )" + clusters + "}'");
    EXPECT_EQ(check("triage out --stages machine").status, 0);
    return said(stage(report("triage"), "machine"));
  };
  const std::string fewer = said_of(R"({"2": 66, "3": 38, "4": 1, "8": 16})");
  EXPECT_NE(fewer.find("clusters of 3 blocks: 38 run at a time, but plans count on 40"), std::string::npos)
      << fewer;
  EXPECT_EQ(fewer.find("clusters of 2"), std::string::npos) << fewer;
  EXPECT_EQ(fewer.find("clusters of 8"), std::string::npos) << fewer;
  const std::string none = said_of(R"({"2": 0, "3": 38, "8": 15})");  // plans do without clusters of two
  EXPECT_EQ(none.find("clusters of 2"), std::string::npos) << none;
  EXPECT_NE(none.find("clusters of 3"), std::string::npos) << none;
  EXPECT_EQ(said_of(R"({"2": 0, "3": 0, "8": 0})").find("clusters of"), std::string::npos);
}

TEST_F(GpuCheckTest, AChangeIsMeasuredInTurns) {
  make_bundle("old");
  script("old/bin/train_step", R"(echo '{"total_ms": [4, 4, 4]}')");
  script("bundle/bin/train_step", R"(echo '{"total_ms": [3, 3, 3]}')");
  const Outcome outcome = check("change out --before old");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  expect_whole("change", {"machine", "steps", "kernels"});
  const Json all = report("change"), steps = stage(all, "steps");
  EXPECT_DOUBLE_EQ(steps.at("ratios").at("step, ms"), 0.75);
  EXPECT_GE(steps.at("samples").at("old").at("step, ms").size(), 2u);
  EXPECT_DOUBLE_EQ(stage(all, "kernels").at("ratios").at("op/second/p/set"), 1);
}

TEST_F(GpuCheckTest, OnlyAMachineWithoutAGpuEndsTheCheck) {
  script("bundle/bin/machine", "echo 'machine: device=cuda: a sentence' >&2; exit 1");
  const Outcome none = check("triage out --stages environment");
  EXPECT_EQ(none.status, 3) << none.output;
  EXPECT_NE(none.output.find("a sentence"), std::string::npos) << none.output;
  EXPECT_EQ(report("triage").at("stages").size(), 1u);
  script("path/nvidia-smi", "echo 'GPU 0: a stand-in'");
  const Outcome other = check("triage out --stages environment");
  EXPECT_EQ(other.status, 1) << other.output;
  EXPECT_NE(other.output.find("a sentence"), std::string::npos) << other.output;
  EXPECT_EQ(report("triage").at("stages").size(), 2u);
}

TEST_F(GpuCheckTest, LongLogsLoseTheirMiddle) {
  const Outcome outcome =
      run("cd '" + folder_.string() +
          "' && mkdir logs && head -c 300000 /dev/urandom >logs/long && echo short >logs/short && "
          "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='" UMBRA_SOURCE_DIR
          "/tools/gpu' python3 -c 'import archive, pathlib; "
          "print(archive.pack(\"logs\", pathlib.Path(\"a.tar.gz\"), 100000, 200000))'");
  EXPECT_EQ(outcome.output, "['long']\n");
  EXPECT_LT(fs::file_size(folder_ / "a.tar.gz"), 100000u);
  const std::string log = testing_tools::bytes(folder_ / "logs/long");
  EXPECT_NE(log.find("bytes were cut out here"), std::string::npos);
  EXPECT_EQ(testing_tools::bytes(folder_ / "logs/short"), "short\n");
}

}  // namespace
}  // namespace umbra
