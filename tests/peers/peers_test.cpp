// The libraries umbra is compared with: never chosen unless requested, and an error message if they are
// missing. As far as possible without a GPU, our use of them is checked, too: cuDNN plans our convolutions
// for the properties of one.
#include "bench/peers/peers.h"

#include <gtest/gtest.h>

#include "bench/peers/cudnn_plans.h"
#include "bench/peers/library.h"
#include "engine/base/error.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/matmul/op.h"
#include "engine/registry/registry.h"
#include "engine/runtime/backend.h"
#include "tests/engine/op_rules.h"
#include "tests/gauntlet/encoding.h"
#include "tests/gauntlet/fills.h"
#include "tests/gauntlet/guarded_memory.h"
#include "tests/gauntlet/run_kernel.h"
#include "tests/gauntlet/rungs.h"

namespace umbra {
namespace {

constexpr Device::Kind kCuda = Device::Kind::kCuda;

Registry registry_with_peers() {
  Registry registry = make_registry();
  register_peers(registry);
  return registry;
}

const Peer& peer_of(std::string_view op) {
  for (const Peer& peer : gpu_peers()) {
    if (peer.kernel.op == op) return peer;
  }
  fail("no peer for ", op);
}

bool has_gpu() {
  return cuda_backend().device_count() > 0;
}

TEST(Peers, AreNeverChosenUnlessPreferred) {
  const Registry registry = registry_with_peers();
  const ConvFprop conv(DType::kF32, conv_on_cube(32, 20, 20, 4, 3, 1, 1));
  const LinearDgrad linear(DType::kF32, 32, 80, 14, true);
  EXPECT_NE(registry.choose(conv, kCuda).rung, "cudnn");
  EXPECT_NE(registry.choose(linear, kCuda).rung, "cublaslt");
  EXPECT_EQ(registry.why(conv, kCuda).find("cudnn"), std::string::npos);
  for (const char* row : {"cudnn", "cublaslt"}) EXPECT_NE(registry.table().find(row), std::string::npos);
}

TEST(Peers, ArePreferredForAllThreePasses) {
  Registry registry = registry_with_peers();
  const std::string missing = peer_of("conv_fprop").kernel.missing();
  if (!missing.empty()) {
    try {
      registry.prefer("conv3d=cudnn");
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(missing), std::string::npos) << error.what();
    }
    GTEST_SKIP() << missing;
  }
  registry.prefer("conv3d=cudnn");
  const std::string table = registry.table();
  std::size_t marks = 0;
  for (std::size_t at = table.find("cudnn *"); at != std::string::npos; at = table.find("cudnn *", at + 1))
    ++marks;
  EXPECT_EQ(marks, 3u) << table;
  if (has_gpu()) GTEST_SKIP() << "a GPU is here: the gauntlet runs them";
  // Without a GPU they decline with the reason, and the registry chooses another rung.
  const ConvFprop conv(DType::kF32, conv_on_cube(32, 20, 20, 4, 3, 1, 1));
  EXPECT_NE(registry.choose(conv, kCuda).rung, "cudnn");
  EXPECT_NE(registry.why(conv, kCuda).find("not cudnn: "), std::string::npos) << registry.why(conv, kCuda);
}

TEST(Peers, DeclineInWordsWithoutAGpu) {
  if (has_gpu()) GTEST_SKIP() << "a GPU is here: the gauntlet runs them";
  for (const Peer& peer : gpu_peers()) {
    std::unique_ptr<Op> op;
    if (peer.kernel.op == "conv_fprop")
      op = std::make_unique<ConvFprop>(DType::kF32, conv_on_cube(2, 3, 4, 3, 3, 1, 1));
    if (peer.kernel.op == "linear_fprop") op = std::make_unique<LinearFprop>(DType::kF32, 4, 5, 6, true);
    if (op == nullptr) continue;
    const std::string why = peer.kernel.declines(*op);
    EXPECT_FALSE(why.empty());
    EXPECT_EQ(why.find('\n'), std::string::npos) << why;
  }
}

TEST(Peers, RuleOutWhatTheyHaveNoWordFor) {
  if (!peer_of("linear_wgrad").kernel.missing().empty())
    GTEST_SKIP() << peer_of("linear_wgrad").kernel.missing();
  EXPECT_NE(peer_of("linear_wgrad").rules_out(LinearWgrad(DType::kF32, 4, 5, 6, true)), "");
  EXPECT_EQ(peer_of("linear_wgrad").rules_out(LinearWgrad(DType::kF32, 4, 5, 6, false)), "");
  if (!peer_of("conv_fprop").kernel.missing().empty()) GTEST_SKIP() << peer_of("conv_fprop").kernel.missing();
  EXPECT_NE(peer_of("conv_fprop").rules_out(ConvFprop(DType::kF32, conv_on_cube(1, 1, 1, 70, 65, 1, 0))), "");
}

TEST(Library, ThatIsMissingSaysSo) {
  Library library({"libumbra_no_such_library.so.1", "libumbra_nor_this.so"});
  EXPECT_NE(library.missing().find("libumbra_no_such_library.so.1 could not be loaded"), std::string::npos)
      << library.missing();
  void (*function)() = nullptr;
  library.find("anything", function);
  EXPECT_EQ(function, nullptr);
  Library self({"libc.so.6"});
  EXPECT_EQ(self.missing(), "");
  self.find("umbra_no_such_function", function);
  EXPECT_NE(self.missing().find("has no function umbra_no_such_function"), std::string::npos);
}

// What cuDNN would ask an H100 for.
constexpr std::string_view kH100 =
    R"({"cudaDeviceId":0,"deviceVer":900,"driverVer":13000,"maxGridSize":[2147483647,65535,65535],)"
    R"("maxBlockSize":[1024,1024,64],"regsPerBlock":65536,"multiProcessorCount":132,"warpSize":32,)"
    R"("maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,)"
    R"("maxRegistersPerSM":65536,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,)"
    R"("pciDeviceId":0,"isTccDriver":0,"supportCoopLaunch":1,"smClockRateKHz":1980000,"memClockRateKHz":2619000,)"
    R"("l2CacheSize":52428800,"deviceName":"NVIDIA H100 80GB HBM3","totalGlobalMem":85000000000})";

class CudnnPlans : public testing::TestWithParam<ConvPass> {
 protected:
  void SetUp() override {
    if (!cudnn_api().missing.empty()) GTEST_SKIP() << cudnn_api().missing;
    try {
      properties = CudnnDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
      properties.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::vector<char>(kH100.begin(), kH100.end()))
          .finalize();
    } catch (const Error& error) {
      GTEST_SKIP() << "this cuDNN plans for no device but its own: " << error.what();
    }
  }
  // How many of the suitable engines produce a plan.
  int plans(const ConvGeometry& g, Precision precision, DType output, bool strict) const {
    const CudnnTarget target{nullptr, &properties};
    const CudnnGraph graph(ConvFprop(DType::kF32, g, precision), GetParam(), output, target);
    int count = 0;
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK}) {
      for (const CudnnEngine& engine : cudnn_engines(graph, mode, target)) {
        if (!cudnn_unfit(engine, precision, strict).empty()) continue;
        try {
          EXPECT_LE(CudnnPlan(engine, target).workspace, std::size_t{8} << 30) << engine.name;
          ++count;
        } catch (const Error&) {  // this one not
        }
      }
    }
    return count;
  }
  CudnnDescriptor properties;
};

TEST_P(CudnnPlans, AreThereForEveryPrecision) {
  for (const ConvGeometry& g :
       {conv_on_cube(32, 1, 20, 25, 3, 2, 3), conv_on_cube(32, 20, 20, 8, 3, 2, 1),
        conv_on_cube(32, 200, 200, 4, 3, 1, 1), conv_on_cube(32, 200, 400, 4, 1, 2, 0),
        conv_on_cube(32, 800, 800, 1, 3, 1, 1), conv_on_cube(8, 128, 128, 64, 3, 1, 1),
        conv_on_square(32, 3, 64, 224, 7, 2, 3), conv_on_square(64, 256, 512, 4, 3, 2, 1)}) {
    EXPECT_GT(plans(g, Precision::kF32, DType::kF32, true), 0) << g;
    EXPECT_GT(plans(g, Precision::kTf32, DType::kF32, true), 0) << g;
    EXPECT_GT(plans(g, Precision::kTf32, DType::kF32, false), plans(g, Precision::kF32, DType::kF32, false))
        << g;
    EXPECT_GT(plans(g, Precision::kBf16, DType::kBf16, false), 0) << g;
  }
}

INSTANTIATE_TEST_SUITE_P(Passes, CudnnPlans,
                         testing::Values(ConvPass::kFprop, ConvPass::kDgrad, ConvPass::kWgrad));

// For operands in bf16 cuDNN writes bf16, whose rounding exceeds the gauntlet's tolerance.
TEST(Peers, Bf16ResultsWithinTheirRounding) {
  if (!has_gpu()) GTEST_SKIP() << cuda_backend().why_none();
  if (!cudnn_api().missing.empty()) GTEST_SKIP() << cudnn_api().missing;
  set_peer_search(PeerSearch::kFastest);
  const Registry registry = registry_with_peers();
  const auto check = [&]<class O>(const O& op, const O& op64) {
    const Kernel& kernel = peer_of(op.name()).kernel;
    if (!kernel.declines(op).empty()) return;
    const Ladder* ladder = nullptr;
    for (const Ladder& f : registry.ladders()) ladder = f.op == op.name() ? &f : ladder;
    const gauntlet::OpRules rules = gauntlet::find_rules(op_rules(), op.name());
    const gauntlet::Values inputs = gauntlet::make_inputs(op, rules, gauntlet::Pattern::kNormal, 1);
    const Kernel* reference = gauntlet::find_reference(*ladder);
    const gauntlet::Values want = gauntlet::reference_values(*reference, op64, inputs);
    const auto outcome = gauntlet::run_kernel(kernel, op, inputs, {1, false, gauntlet::kNanPoison});
    EXPECT_EQ(outcome.violation, "");
    const auto got = gauntlet::decode(DType::kF32, outcome.outputs[2].data(), want[2].size());
    double largest = 0;
    for (const double value : want[2]) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(std::abs(got[i] - want[2][i]) <= 0x1p-8 * std::abs(want[2][i]) + 1e-4 * largest)
          << op.name() << ' ' << op << " [" << i << "] got " << got[i] << " want " << want[2][i];
    }
  };
  for (const ConvGeometry& g : {conv_on_cube(32, 20, 20, 4, 3, 1, 1), conv_on_cube(32, 40, 80, 2, 3, 2, 1),
                                conv_on_square(2, 64, 64, 14, 3, 1, 1)}) {
    constexpr Precision kBf16 = Precision::kBf16;
    check(ConvFprop(DType::kF32, g, kBf16), ConvFprop(DType::kF64, g, kBf16));
    check(ConvDgrad(DType::kF32, g, kBf16), ConvDgrad(DType::kF64, g, kBf16));
    check(ConvWgrad(DType::kF32, g, kBf16), ConvWgrad(DType::kF64, g, kBf16));
  }
}

}  // namespace
}  // namespace umbra
