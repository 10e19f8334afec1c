// With CUDA linked, on a GPU or emulated, the registry contains every line of engine/ops/ladder.def.
#include "engine/cuda/tile/tensor_rung.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/matmul/op.h"
#include "tests/fixtures/ladder_lines.h"

namespace umbra {
namespace {

TEST(CudaLadderList, IsWhatTheRegistryHolds) {
  expect_what_is_listed(make_registry(), true);
}

// The rungs that pack operands leave the head of a network to cuda_3_mma, whatever the size of its layers.
TEST(CudaLadderList, OperandsOfFewSamplesAreNotPacked) {
  const Registry registry = make_registry();
  const std::string most = why_no_wgmma().empty() ? "cuda_7_cluster" : "cuda_3_mma";
  const auto rung = [&](const LinearOp& op) {
    return std::string(registry.choose(op, Device::Kind::kCuda).rung);
  };
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    for (const std::int64_t in : {80, 8000}) {
      EXPECT_EQ(rung(LinearFprop(DType::kF32, 64, in, 320, true, precision)), "cuda_3_mma");
      EXPECT_EQ(rung(LinearDgrad(DType::kF32, 64, in, 320, true, precision)), "cuda_3_mma");
      EXPECT_EQ(rung(LinearWgrad(DType::kF32, 64, in, 320, true, precision)), "cuda_3_mma");
      EXPECT_EQ(rung(LinearFprop(DType::kF32, 65, in, 320, true, precision)), most);
      EXPECT_EQ(rung(LinearDgrad(DType::kF32, 65, in, 320, true, precision)), most);
      EXPECT_EQ(rung(LinearWgrad(DType::kF32, 65, in, 320, true, precision)), most);
    }
  }
}

// Their clocks would not fit into 32 bits.
TEST(CudaLadderList, SumsOfTooManyTermsAreDeclined) {
  if (!why_no_wgmma().empty()) GTEST_SKIP() << "these rungs run on GPUs of compute capability 9.0 only";
  const Registry registry = make_registry();
  const auto check = [&](const Op& op) {
    EXPECT_EQ(registry.choose(op, Device::Kind::kCuda).rung, "cuda_3_mma") << op.text();
    EXPECT_NE(registry.why(op, Device::Kind::kCuda).find("its sums have at most 33554432 terms"),
              std::string::npos);
  };
  const auto expect_taken = [&](const Op& op) {
    EXPECT_EQ(registry.choose(op, Device::Kind::kCuda).rung, "cuda_7_cluster") << op.text();
  };
  constexpr std::int64_t kMost = std::int64_t{1} << 25;
  check(LinearWgrad(DType::kF32, kMost + 1, 8, 8, false, Precision::kBf16));
  const ConvGeometry most = conv_on_cube(1, kMost, 8, 1, 1, 1, 0),
                     more = conv_on_cube(1, kMost + 1, 8, 1, 1, 1, 0);
  check(ConvFprop(DType::kF32, more, Precision::kBf16));
  expect_taken(LinearWgrad(DType::kF32, kMost, 8, 8, false, Precision::kBf16));
  expect_taken(ConvFprop(DType::kF32, most, Precision::kBf16));
  expect_taken(ConvWgrad(DType::kF32, more, Precision::kBf16));  // whose sums do not run over channels
}

}  // namespace
}  // namespace umbra
