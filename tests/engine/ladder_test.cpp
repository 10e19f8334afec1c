// The list of ladders, engine/ops/ladder.def: a program has exactly the kernels it lists.
#include "engine/ops/ladder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/base/error.h"
#include "engine/ops/elementwise/add.h"
#include "engine/ops/shared/problems.h"
#include "engine/runtime/backend.h"
#include "tests/fixtures/ladder_lines.h"
#include "tests/gauntlet/rungs.h"

namespace umbra {
namespace {

/// Whether this program was linked with CUDA.
bool has_cuda() {
  return !cuda_rungs().empty();
}

TEST(LadderList, IsWhatTheRegistryHolds) {
  expect_what_is_listed(make_registry(), has_cuda());
}

TEST(LadderList, CudaIsThereAsAWholeOrNotAtAll) {
  std::size_t listed = 0;
  for (const ListedLadder& ladder : listed_ladders()) listed += ladder.cuda.size();
  EXPECT_GT(listed, 0u);
  EXPECT_EQ(cuda_rungs().size(), has_cuda() ? listed : 0);
  // A program with CUDA kernels also has the CUDA runtime.
  const std::string why_none = cuda_backend().device_count() == 0 ? cuda_backend().why_none() : "";
  EXPECT_EQ(has_cuda(), why_none.find("this build of umbra has no CUDA") == std::string::npos) << why_none;
}

TEST(LadderList, NamesNoRungTwice) {
  std::set<std::string> seen;
  for (const ListedLadder& ladder : listed_ladders()) {
    EXPECT_TRUE(seen.insert(std::string(ladder.op)).second) << ladder.op;
    for (const auto& rungs : {ladder.cpu, ladder.cuda}) {
      for (const std::string_view rung : rungs)
        EXPECT_TRUE(seen.insert(concat(ladder.op, " ", rung)).second) << ladder.op << " " << rung;
    }
  }
}

// The last rung that does not decline is chosen and should be the fastest, so the numbers increase.
TEST(LadderList, StandsInTheOrderOfItsNumbers) {
  const Registry registry = make_registry();
  for (const Ladder& ladder : registry.ladders()) {
    int number = 0;
    Device::Kind device = Device::Kind::kCpu;
    for (const Kernel& kernel : ladder.kernels) {
      if (kernel.device != device) number = 0;
      const bool of_the_definition = kernel.rung.starts_with("reference");
      EXPECT_TRUE(of_the_definition || gauntlet::rung_number(kernel) > number)
          << ladder.op << " " << kernel.rung;
      number = gauntlet::rung_number(kernel);
      device = kernel.device;
    }
  }
}

TEST(LadderList, EveryDefinitionHasReferencesAndProblems) {
  for (const ListedLadder& listed : listed_ladders()) {
    const Ladder& definition = listed.definition;
    EXPECT_EQ(definition.op, listed.op);
    for (const DType dtype : {DType::kF32, DType::kF64}) {
      const auto is_reference = [&](const Kernel& kernel) {
        return gauntlet::is_reference(kernel) && kernel.dtype == dtype;
      };
      EXPECT_EQ(std::count_if(definition.kernels.begin(), definition.kernels.end(), is_reference), 1)
          << listed.op;
      ASSERT_NE(definition.problems, nullptr) << listed.op;
      const Problems problems = definition.problems(dtype);
      EXPECT_FALSE(problems.empty()) << listed.op;
      for (const auto& op : problems) {
        EXPECT_EQ(op->name(), listed.op);
        EXPECT_EQ(op->dtype, dtype) << listed.op;
      }
    }
  }
}

void nothing(const Add&, Buffers, void*, Stream&) {}

TEST(LadderList, GivesARungItsNameAndItsDevice) {
  const Kernel listed_as = listed(make_kernel<Add, nothing>(), "add", "cuda_1_naive", Device::Kind::kCuda);
  EXPECT_EQ(listed_as.op, "add");
  EXPECT_EQ(listed_as.rung, "cuda_1_naive");
  EXPECT_EQ(listed_as.device, Device::Kind::kCuda);
  EXPECT_EQ(listed_as.dtype, DType::kF32);
}

TEST(LadderList, RefusesARungOfAnotherOp) {
  try {
    listed(make_kernel<Add, nothing>(), "scale", "cpu_1_simd", Device::Kind::kCpu);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const char* word : {"ladder.def", "cpu_1_simd", "scale", "add"})
      EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
  }
}

TEST(MakeRegistry, HasEveryOp) {
  std::set<std::string_view> names;
  const Registry registry = make_registry();
  for (const Ladder& ladder : registry.ladders()) names.insert(ladder.op);
  for (const char* op : {"conv_fprop",
                         "conv_dgrad",
                         "conv_wgrad",
                         "linear_fprop",
                         "linear_dgrad",
                         "linear_wgrad",
                         "relu_forward",
                         "relu_backward",
                         "sigmoid_forward",
                         "sigmoid_backward",
                         "tanh_forward",
                         "tanh_backward",
                         "add",
                         "mul",
                         "exp",
                         "to_labels",
                         "bias_forward",
                         "bias_backward",
                         "batch_norm_forward",
                         "batch_norm_inference",
                         "batch_norm_backward",
                         "batch_norm_frozen_backward",
                         "max_pool_forward",
                         "max_pool_backward",
                         "average_pool_forward",
                         "average_pool_backward",
                         "mean_pool_forward",
                         "mean_pool_backward",
                         "dropout",
                         "softmax_forward",
                         "softmax_backward",
                         "reduce_axes_forward",
                         "reduce_axes_backward",
                         "pack_operand",
                         "concatenate",
                         "split",
                         "softmax_cross_entropy",
                         "mean_squared_error",
                         "scale_rows",
                         "chi2_linear",
                         "chi2_log",
                         "poisson",
                         "affine_forward",
                         "affine_backward",
                         "sum",
                         "sum_squares",
                         "count_nonfinite",
                         "scale",
                         "set_value",
                         "gradient_norm",
                         "clip",
                         "sgd_step",
                         "adam_step"}) {
    EXPECT_TRUE(names.contains(op)) << op;
  }
}

}  // namespace
}  // namespace umbra
