// A profile of ops on a GPU: times of launches in a graph, measured on copies.
#include "engine/train/profile.h"

#include <gtest/gtest.h>

#include <sstream>

#include "engine/ops/elementwise/scale.h"
#include "engine/ops/optim/gradient_norm.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

class CudaProfile : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = cuda_test::cannot_run(); !why.empty()) GTEST_SKIP() << why;
  }
};

// An op of which the host took 1000 s to launch it.
TEST_F(CudaProfile, ARowHasNotTheTimeThatTheHostNeeds) {
  const Registry registry = make_registry();
  Context context(registry, {Device::Kind::kCuda, 0});
  Profile profile;
  profile.attach(context);
  const Tensor tensor = allocate_tensor(context.device(), {1000}, DType::kF32);
  const std::vector<double> before(1000, 7);
  from_host(before, tensor, context.stream);
  const SetValue op(DType::kF32, 1000, 3);
  for (int i = 0; i < 2; ++i)
    context.observer(op, registry.choose(op, Device::Kind::kCuda), std::span(&tensor, 1), 1000);
  EXPECT_EQ(to_host(tensor, context.stream), before);
  std::istringstream table(profile.table());
  std::string line, name, rung;
  while (std::getline(table, line) && !line.starts_with("set_value")) continue;
  std::int64_t calls = 0;
  double milliseconds = 0;
  std::istringstream(line) >> name >> rung >> calls >> milliseconds;
  EXPECT_EQ(calls, 2) << profile.table();
  EXPECT_LT(milliseconds, 100'000) << profile.table();
}

// An input may be as large as all samples.
TEST_F(CudaProfile, AnOpIsRepeatedOnItsInputsThemselves) {
  const Registry registry = make_registry();
  Context context(registry, {Device::Kind::kCuda, 0});
  Profile profile;
  profile.attach(context);
  constexpr std::int64_t kMany = 1 << 20;
  const GradientNorm op(DType::kF32, kMany, 1);
  const Tensor tensors[] = {allocate_tensor(context.device(), {kMany}, DType::kF32),
                            allocate_tensor(context.device(), {1}, DType::kF64),
                            allocate_tensor(context.device(), {1}, DType::kF32)};
  from_host(std::vector<double>(kMany, 2), tensors[0], context.stream);
  const std::size_t before = context.arena.bytes_held();
  call(context, op, tensors);
  EXPECT_LT(context.arena.bytes_held() - before, tensors[0].bytes());
  EXPECT_EQ(to_host(tensors[1], context.stream)[0], 2048);
}

}  // namespace
}  // namespace umbra
