// The model of machine code (tools/sass) and its rules, on listings made up here, in which every number is known;
// and on the objects of this build, if it has CUDA kernels and there is a disassembler.
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
using testing_tools::Outcome;
using testing_tools::run;

constexpr const char* kTools = UMBRA_SOURCE_DIR "/tools";
constexpr int kNone = 7;

// tensor_cluster with a tile of bfloat16, 200 rows, W along rows.
constexpr const char* kMangled =
    "_ZN5umbra12_GLOBAL__N_114tensor_clusterINS_10TensorTileILNS_9PrecisionE2ELNS_11TensorShapeE2ELNS_5MajorE1ELi"
    "128EEEEEvNS_15TensorArgumentsENS_9TensorMapES8_";
constexpr const char* kKernel = "tensor_cluster bf16 rows200 mn";
constexpr const char* kProduct = "HGMMA.64x200x16.F32.BF16 R24, gdesc[UR12], R24";
constexpr const char* kIdle = "HGMMA.64x8x16.F16 RZ, gdesc[URZ], RZ, !UPT, gsb0";

struct Line {
  std::string text;  // "LABEL:" before an instruction names its address, "@LABEL" in a branch means it
  int stall = 1, writes = kNone, waits = 0;
};

// A listing as cuobjdump prints it, of one kernel.
std::string listing(const std::vector<Line>& lines) {
  std::map<std::string, std::string> labels;
  char buffer[200];
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::snprintf(buffer, sizeof buffer, "0x%zx", 16 * i);
    if (const auto end = lines[i].text.find(": "); end != std::string::npos)
      labels[lines[i].text.substr(0, end)] = buffer;
  }
  std::string text = "arch = sm_90a\n\t\tFunction : " + std::string(kMangled) + "\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string code = lines[i].text;
    if (const auto end = code.find(": "); end != std::string::npos) code = code.substr(end + 2);
    if (const auto at = code.find(" @"); at != std::string::npos)
      code = code.substr(0, at + 1) + labels.at(code.substr(at + 2));
    const unsigned long long control = static_cast<unsigned long long>(lines[i].stall | lines[i].writes << 5 |
                                                                       kNone << 8 | lines[i].waits << 11);
    std::snprintf(buffer, sizeof buffer, "        /*%04zx*/  %s ;  /* 0x0000000000000000 */\n", 16 * i,
                  code.c_str());
    text += buffer;
    std::snprintf(buffer, sizeof buffer, "               /* 0x%016llx */\n", control << 41);
    text += buffer;
  }
  return text;
}

// A kernel whose producer starts two copies per slice and whose slices overlap, with `more` in the producer's loop
// and `last` at the end of the consumer's.
std::vector<Line> kernel(const std::vector<Line>& more = {}, const std::vector<Line>& last = {}) {
  std::vector<Line> lines = {{"USETMAXREG.TRY_ALLOC.CTAPOOL UP0, 0xe8"},
                             {"P: SYNCS.PHASECHK.TRANS64.TRYWAIT P0, [R29], R2", 2, 0},
                             {"@!P0 BRA @P", 5, kNone, 1},
                             {"C: UTMALDG.3D [UR8], [UR4]", 2},
                             {"UTMALDG.3D [UR16], [UR4]", 2}};
  lines.insert(lines.end(), more.begin(), more.end());
  lines.insert(lines.end(),
               {{"@P2 BRA @P", 5}, {std::string("M: ") + kProduct}, {kProduct}, {kProduct}, {kProduct}});
  lines.insert(lines.end(), last.begin(), last.end());
  lines.insert(lines.end(), {{"@P3 BRA @M", 5}, {"EXIT"}});
  return lines;
}

class SassCheckTest : public FolderTest {
 protected:
  void SetUp() override {
    if (run("python3 --version && c++filt --version").status != 0) GTEST_SKIP() << "no python3 or no c++filt";
    write("known.txt", "# a comment\n");
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string known() const { return testing_tools::bytes(folder_ / "known.txt"); }

  Outcome check(const std::vector<Line>& lines, const std::string& options = "") const {
    write("listing", listing(lines));
    return run("PYTHONDONTWRITEBYTECODE=1 python3 " + std::string(kTools) + "/sass_check.py --listing " +
               at("listing") + " --known " + at("known.txt") + " " + options);
  }
  void expect_fails_with(const Outcome& outcome, const std::string& text) const {
    EXPECT_EQ(outcome.status, 1) << outcome.output;
    EXPECT_NE(outcome.output.find(text), std::string::npos) << outcome.output;
  }
  void expect_passes(const Outcome& outcome) const { EXPECT_EQ(outcome.status, 0) << outcome.output; }
};

// Producer: the wait for the barrier of SYNCS at 26 (floor: 8), then 5 + 2 + 2 + 5 + 8 for the taken branch. Consumer: 1 * 4 + 5
// + 8. Multiplication: 4 * 100 clocks of two warpgroups.
TEST_F(SassCheckTest, ClocksAreThoseOfTheModel) {
  const Outcome outcome = check(kernel());
  expect_passes(outcome);
  EXPECT_NE(
      outcome.output.find("| " + std::string(kKernel) + " | taps | 2 | 30 / 48 | 17 / 17 | 800 | 800 |"),
      std::string::npos)
      << outcome.output;
}

// A slice whose consumers wait takes the time of one warpgroup's multiplications and instructions if that is longer.
TEST_F(SassCheckTest, AWaitingConsumerAddsItsInstructions) {
  std::vector<Line> last(40, {"IADD3 R1, R2, R3, RZ", 15});
  EXPECT_NE(check(kernel({}, last)).output.find("| 617 / 617 | 800 | 800 |"), std::string::npos);
  last.push_back({"WARPGROUP.DEPBAR.LE gsb0, 0x0", 1});
  const Outcome outcome = check(kernel({}, last));
  EXPECT_NE(outcome.output.find("| 618 / 618, waits | 800 | 1018 |"), std::string::npos) << outcome.output;
}

TEST_F(SassCheckTest, ASlowProducerFails) {
  const std::vector<Line> work(60, {"IADD3 R1, R2, R3, RZ", 14});
  expect_fails_with(check(kernel(work)), std::string(kKernel) + ", taps: slow producer, 888");
  expect_passes(check(kernel(std::vector<Line>(60, {"IADD3 R1, R2, R3, RZ", 12}))));
}

TEST_F(SassCheckTest, ACopyInALoopOfThreadsFails) {
  expect_fails_with(check(kernel({{"@P1 BRA.U.ANY @C", 5}})), std::string(kKernel) + ": loop of copies, 1");
  std::vector<Line> elsewhere = kernel({}, {{"@P1 BRA.U.ANY @M", 5}});
  expect_passes(check(elsewhere));
}

TEST_F(SassCheckTest, AnIdleMultiplicationFails) {
  expect_fails_with(check(kernel({}, {{kIdle}})), std::string(kKernel) + ": idle HGMMA, 1");
}

const Line kSize{"LDC R2, c[0x0][0x188]", 2, 1}, kCompare{"ISETP.NE.AND P0, PT, R2, 0x1, PT", 5, kNone, 2},
    kLoad{"LD.E.128 R4, [R8]", 2, 0}, kArrival{"UCGABAR_ARV", 5};

// A kernel whose blocks ask for the size of their cluster and then meet at its barriers.
std::vector<Line> cluster_kernel(const std::vector<Line>& asking, const std::vector<Line>& meeting) {
  std::vector<Line> lines = kernel();
  lines.pop_back();  // EXIT
  lines.insert(lines.end(), asking.begin(), asking.end());
  lines.insert(lines.end(), meeting.begin(), meeting.end());
  lines.insert(lines.end(), {{"UCGABAR_WAIT", 5}, {"EXIT"}});
  return lines;
}

// The emulator's loads end at once, so it cannot see whether they are waited for.
TEST_F(SassCheckTest, AnArrivalBeforeLoadsAreOverFails) {
  const Line add{"FADD R9, R9, R4", 5, kNone, 1}, all{"FADD R9, R9, R4", 5, kNone, 63},
      other{"FADD R9, R9, R5", 5, kNone, 2}, block{"BAR.SYNC.DEFER_BLOCKING 0x1, 0x100", 5};
  const auto arriving_after = [&](const std::vector<std::vector<Line>>& each) {
    std::vector<Line> lines;
    for (const std::vector<Line>& loads : each) {
      lines.insert(lines.end(), loads.begin(), loads.end());
      lines.insert(lines.end(), {kArrival, all});
    }
    return cluster_kernel({kSize, kCompare, {"@!P0 EXIT"}}, lines);
  };
  expect_passes(check(arriving_after({{},
                                      {{"L: LD.E.128 R4, [R8]", 2, 0}, {"@P1 BRA @L", 5}, add},
                                      {kLoad, {"UCGABAR_ARV", 5, kNone, 1}},
                                      {{"LDG.E R4, [R8]", 2, 0}}})));
  const std::vector<std::vector<Line>> hasty = {
      {kLoad, block},  // which does not wait for the load
      {kLoad, other},
      {kLoad, add, {"@P1 LD.E.128 R4, [R8]", 2, 0}},
      {kLoad, {"LD.E.128 R12, [R8]", 2, 1}, add},
      {kLoad, {"@P1 BRA @E", 5}, add, {"E: NOP"}},
      {{"LD.E.128 R12, [R8]", 2, kNone}, all}};  // there is nothing to wait for
  expect_fails_with(check(arriving_after(hasty)), std::string(kKernel) + ": hasty arrival, 6");
}

TEST_F(SassCheckTest, ABarrierOfAClusterWithoutAComparisonOfItsSizeFails) {
  expect_passes(check(cluster_kernel({{"ISETP.NE.AND P0, PT, RZ, c[0x0][0x188], PT"}}, {kArrival})));
  expect_passes(check(cluster_kernel({kSize, {"LDC.64 R4, c[0x0][0x140]", 2, 1}, kCompare}, {kArrival})));
  for (const std::vector<Line>& asking :
       {std::vector<Line>{kSize, {"ISETP.NE.AND P0, PT, R22, 0x1, PT"}},  // compares another number
        {kSize, {"LDC R2, c[0x0][0x140]", 2, 1}, kCompare},               // which has taken the register
        {{"LDC R3, c[0x0][0x188]", 2, 1},
         {"LDC.64 R2, c[0x0][0x140]", 2, 1},
         {"ISETP.NE.AND P0, PT, R3, 0x1, PT"}},
        {{"LDC R7, c[0x0][0x188]", 2, 1}, {"LD.E.128 R4, [R8]", 2, 1}, {"ISETP.NE.AND P0, PT, R7, 0x1, PT"}},
        {{"@P1 LDC R2, c[0x0][0x188]", 2, 1}, kCompare},
        {kSize, {"@P1 ISETP.NE.AND P0, PT, R2, 0x1, PT"}},
        {{"@P1 BRA @B", 5}, kSize, kCompare, {"B: NOP"}}})  // on one of two ways
    expect_fails_with(check(cluster_kernel(asking, {kArrival})),
                      std::string(kKernel) + ": unasked barrier, 2");
}

TEST_F(SassCheckTest, SerialisedMultiplicationsFailWithoutADisassembler) {
  const std::string remark =
      "ptxas info    : (C7520) Potential Performance Loss: wgmma.mma_async instructions are "
      "serialized due to a branch in the function '" +
      std::string(kMangled) + "'\n";
  write("object.cu.o", "");
  write("object.cu.o.ptxas", "ptxas info    : (C7519) warpgroup.arrive is injected in function 'other'\n");
  const std::string script =
      "UMBRA_DISASSEMBLER=/none CUDA_HOME=/none PATH=/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 bash " +
      std::string(kTools) + "/sass_check.sh " + at("object.cu.o");
  const Outcome none = run(script);
  if (none.status != 77) GTEST_SKIP() << "a disassembler is installed in /usr";
  EXPECT_NE(none.output.find("skipped: cuobjdump and nvdisasm are needed"), std::string::npos) << none.output;
  write("object.cu.o.ptxas", remark + remark);
  expect_fails_with(run(script), std::string(kKernel) + ": C7520, 2");
}

TEST_F(SassCheckTest, KnownViolationsPassUntilTheyGrowOrShrink) {
  const std::string line = "idle HGMMA\t" + std::string(kKernel) + "\t2\n";
  write("known.txt", "# a comment\n" + line);
  expect_passes(check(kernel({}, {{kIdle}, {kIdle}})));
  expect_fails_with(check(kernel({}, {{kIdle}, {kIdle}, {kIdle}})),
                    "idle HGMMA, 3, more than the 2 that are known");
  expect_fails_with(check(kernel({}, {{kIdle}})), "idle HGMMA is 1, but known.txt still has 2");
  expect_fails_with(check(kernel()), "idle HGMMA is gone, but known.txt still has 2");
  write("known.txt", "idle HGMMA\ttensor_specialised bf16 rows200 mn\t1\n");
  expect_passes(check(kernel()));  // no kernel of that rung was examined
}

TEST_F(SassCheckTest, TheCodeOfAnotherPtxasIsNotJudged) {
  write("known.txt", "# ptxas 13.0.88\n");
  write("same.o", "Cuda compilation tools, release 13.0, V13.0.88");
  write("other.o", "Cuda compilation tools, release 12.8, V12.8.93");
  const std::vector<Line> idle = kernel({}, {{kIdle}});
  expect_fails_with(check(idle, "--objects " + at("same.o")), std::string(kKernel) + ": idle HGMMA, 1");
  const Outcome outcome = check(idle, "--objects " + at("other.o"));
  expect_passes(outcome);
  EXPECT_NE(outcome.output.find("the code is that of ptxas 12.8.93"), std::string::npos) << outcome.output;
  write("report.ptxas", "(C7520) serialized\n");
  expect_fails_with(check(kernel(), "--ptxas " + at("report.ptxas")), "a kernel: C7520, 1");
  write("report.ptxas", "(C7520) serialized in function '" + std::string(kMangled) + "'\n");
  expect_fails_with(check(kernel(), "--objects " + at("other.o") + " --ptxas " + at("report.ptxas")),
                    std::string(kKernel) + ": C7520, 1");
}

TEST_F(SassCheckTest, ShrinkingTakesOutWhatIsMendedAndAddsNothing) {
  write("known.txt",
        "# a comment\nidle HGMMA\t" + std::string(kKernel) + "\t2\nloop of copies\t" + kKernel + "\t1\n");
  expect_passes(check(kernel({}, {{kIdle}}), "--shrink"));
  EXPECT_EQ(known(), "# a comment\nidle HGMMA\t" + std::string(kKernel) + "\t1\n");
  expect_passes(check(kernel(), "--shrink"));
  EXPECT_EQ(known(), "# a comment\n");
  expect_fails_with(check(kernel({}, {{kIdle}}), "--shrink"), "idle HGMMA, 1");
  EXPECT_EQ(known(), "# a comment\n");
}

TEST_F(SassCheckTest, ABrokenListOrKernelIsASentence) {
  write("known.txt", "idle HGMMA\tsome kernel\tmany\n");
  expect_fails_with(check(kernel()),
                    "known.txt, line 1: found 'idle HGMMA\\tsome kernel\\tmany', expected a rule");
  write("known.txt", "");
  std::vector<Line> straight = kernel();
  straight.erase(straight.end() - 2);  // without the consumer's loop
  expect_fails_with(check(straight),
                    std::string(kKernel) + ": found 1 loops with UTMALDG and 0 with HGMMA, expected both");
}

// By hand, in microseconds: ten slices of 800 clocks; 16 clusters of eight blocks, of which 15 fit at a time, so two slices one
// after the other, and the sum of the cluster; twice 1,500 bytes by one block; 5.5 MB from the cache and 430 MB from memory.
TEST_F(SassCheckTest, AStepIsTheSumOfItsLaunches) {
  using Json = nlohmann::json;
  const auto launch = [](const std::string& kernel, int blocks) {
    return Json{
        {"kernel", kernel}, {"blocks", {blocks, 1, 1}}, {"threads", {384, 1, 1}}, {"cluster", {1, 1, 1}}};
  };
  const std::string name = run("echo " + std::string(kMangled) + " | c++filt -n").output;
  const Json tensor = launch(name.substr(0, name.find('\n')), 1),
             pack = launch("void umbra::pack_straight<float>(float)", 1),
             both = launch("void umbra::pack_transposed<float>(float)", 1);
  const std::string operands = R"("pairs": false, "w": [1, 1000], "x": [1, 100],)";
  const Json work = Json::parse("{" + operands + R"("cluster": 1, "packs": [[1000, 500]],
      "clusters": [[1, [[[10, 2, 2, 4]]]]]})");
  const std::string part = "[[1, 2, 2, 4]]";
  Json clusters = Json::parse("{" + operands + R"("cluster": 8, "packs": [], "clusters": [[16, []]]})");
  for (int i = 0; i < 8; ++i) clusters["clusters"][0][1].push_back(Json::parse(part));
  const auto op = [](const char* what, double bytes, const Json& launches, const Json& of) {
    Json line = {{"op", what}, {"problem", "p"}, {"rung", "r"}, {"bytes", bytes}, {"launches", launches}};
    if (!of.is_null()) line["work"] = of;
    return line.dump();
  };
  write("launches", op("pack_operand", 1500, Json::array({both}), {}) + "\n" +
                        op("conv_fprop", 1e6, Json::array({pack, tensor}), work) + "\n" +
                        op("conv_dgrad", 1e6, Json::array({tensor}), clusters) + "\n" +
                        op("add_forward", 5.5e6, Json::array({launch("umbra::add(int)", 1000)}), {}) + "\n" +
                        op("adam_step", 430e6, Json::array({launch("umbra::adam(int)", 1000)}), {}) + "\n");
  write("step", "#!/bin/sh\ncat " + at("launches") + "\n");
  fs::permissions(folder_ / "step", fs::perms::owner_all);
  const Outcome outcome = check(kernel(), "--channels 200 --step " + at("step") + " --json " + at("json"));
  expect_passes(outcome);
  const Json estimates = Json::parse(testing_tools::bytes(folder_ / "json"));
  EXPECT_EQ(estimates["kernels"]["conv_dgrad/r/p"], Json::parse(R"({"us": 6.42, "cluster": 8})"));
  EXPECT_FALSE(estimates["kernels"]["add_forward/r/p"].contains("cluster"));
  EXPECT_EQ(estimates["clusters"]["8"], 15);
  EXPECT_EQ(estimates["steps"]["200 bf16"]["launches"], 6);
  EXPECT_NEAR(estimates["steps"]["200 bf16"]["us"].get<double>(), 128.3, 0.1);
  for (const char* row :
       {"| convolutions | 2: 11 |", "| packed operands of convolutions | 2: 4 |", "| optimiser | 1: 102 |",
        "| others | 1: 3 |", "| gaps | 8 |", "| **step** | **6: 128** |",
        "| conv_dgrad | tensor_cluster bf16 rows200 mn | 1 | 5.12 | 1.00 | consumer | p |",
        "| conv_fprop | tensor_cluster bf16 rows200 mn | 1 | 6.37 | 1.00 | consumer | p |"})
    EXPECT_NE(outcome.output.find(row), std::string::npos) << row << "\n" << outcome.output;
  expect_fails_with(check({{"EXIT"}}, "--channels 200 --step " + at("step")),
                    "but the listing does not contain it");
}

// The real dispatch of a step, recorded on the emulated GPU: every launch has a name, every product on tensor cores its work.
TEST_F(SassCheckTest, AStepIsRecordedWithItsKernels) {
  const std::string program = UMBRA_BINARY_DIR "/tests/cuda/step_launches";
  if (!fs::exists(program)) GTEST_SKIP() << "this build has no emulated GPU";
  const Outcome outcome = run(program + " model.channels=20 --precision tf32");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  std::istringstream in(outcome.output);
  std::map<std::string, int> ops;
  for (std::string line; std::getline(in, line);) {
    const nlohmann::json op = nlohmann::json::parse(line);
    ++ops[op["op"]];
    EXPECT_FALSE(op["launches"].empty()) << line;
    for (const auto& launch : op["launches"])
      EXPECT_NE(launch["kernel"].get<std::string>().find("umbra::"), std::string::npos) << line;
    EXPECT_EQ(op.contains("work"), op["rung"] == "cuda_7_cluster") << line;
  }
  EXPECT_EQ(ops["conv_fprop"], 15);
  EXPECT_EQ(ops["conv_wgrad"], 15);
  EXPECT_EQ(ops["pack_operand"], 12 + 15 + 1);  // inputs, which shortcuts share, gradients, and all weights
  EXPECT_EQ(ops["stem3d_backward"], 1);
  EXPECT_EQ(ops["adam_step"], 1);
}

// What ships: no violation but the known ones, and each of these; every kernel of a step is found.
TEST_F(SassCheckTest, TheKernelsOfThisBuildPass) {
  const std::string objects = UMBRA_BINARY_DIR "/CMakeFiles/umbra_device.dir/engine/";
  if (!fs::exists(objects + "cuda/tile/tensor_cluster.cu.o"))
    GTEST_SKIP() << "this build has no CUDA kernels";
  std::string command =
      "PYTHONDONTWRITEBYTECODE=1 bash " + std::string(kTools) + "/sass_check.sh --step --channels=20";
  for (const char* name :
       {"cuda/tile/tensor_cluster", "cuda/tile/tensor_specialised", "ops/stem/cuda_2_lanes_pool",
        "ops/stem/cuda_2_lanes_gram", "ops/stem/cuda_2_lanes_backward"})
    command += " " + objects + name + ".cu.o";
  const Outcome outcome = run(command);
  if (outcome.status == 77) GTEST_SKIP() << outcome.output;
  expect_passes(outcome);
  for (const char* text : {"tensor_cluster: 22 kernels of sm_90a", "| stem | 7: ", "| optimiser | 1: "})
    EXPECT_NE(outcome.output.find(text), std::string::npos) << text << "\n" << outcome.output;
}

}  // namespace
}  // namespace umbra
