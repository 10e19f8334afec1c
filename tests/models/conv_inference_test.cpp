// Networks infer with convolution, batch norm, shortcut and ReLU as one operation. A pass with a tape keeps
// them separate; the results may differ only by rounding.
#include <gtest/gtest.h>

#include <map>

#include "models/resnet18.h"
#include "models/um_resnet.h"
#include "tests/fixtures/golden.h"

namespace umbra {
namespace {

struct Answer {
  std::vector<double> values;
  std::map<std::string, int> calls;
};

Answer ask(Context& context, Module& network, const Tensor& input, Tape* tape) {
  Answer answer;
  context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
    ++answer.calls[std::string(op.name())];
  };
  Pass pass{context, tape};
  answer.values = to_host(network.forward(pass, constant(input))->value, context.stream);
  context.observer = nullptr;
  return answer;
}

// Statistics as after training: different in every channel.
void set_statistics(const Module& network) {
  for (const NamedTensor& b : network.buffers()) {
    if (b.name.ends_with("running_mean"))
      golden::fill(b.tensor, [](std::size_t i) { return golden::u(7, i) - 0.5; });
    if (b.name.ends_with("running_var"))
      golden::fill(b.tensor, [](std::size_t i) { return 0.5 + golden::u(8, i); });
  }
}

// `fused` convolutions are each one operation with what follows them, unless the pass is recorded; then there are
// `recorded` convolutions, that of a stem included. `tolerance` is relative to the largest output.
void expect_agreement(Module& network, const Tensor& input, int fused, int recorded, double tolerance) {
  const Registry registry = make_registry();
  Context context(registry, {});
  set_statistics(network);
  Tape tape(context);
  const Answer one = ask(context, network, input, nullptr), several = ask(context, network, input, &tape);
  EXPECT_EQ(one.calls.at("conv_inference"), fused);
  EXPECT_FALSE(one.calls.contains("conv_fprop"));
  EXPECT_EQ(several.calls.at("conv_fprop"), recorded);
  EXPECT_FALSE(several.calls.contains("conv_inference"));
  double largest = 0;
  for (double value : several.values) largest = std::max(largest, std::abs(value));
  ASSERT_GT(largest, 0);
  for (std::size_t i = 0; i < one.values.size(); ++i) {
    ASSERT_TRUE(std::abs(one.values[i] - several.values[i]) <= tolerance * largest)
        << i << ": " << one.values[i] << " and " << several.values[i];
  }
}

class FusedInference : public testing::TestWithParam<DType> {};

// 15 convolutions after the stem, at most 13 of them in sequence: a few roundings each.
TEST_P(FusedInference, AgreesInTheUmResNet) {
  const DType dtype = GetParam();
  Build build{{}, dtype, 1};
  UmResNet network(build, {4, 1, 25, 14, 0.5});
  golden::set_parameters(network);
  const Tensor input = allocate_tensor({}, {5, 1, 25, 25, 25}, dtype);
  golden::fill(input, [](std::size_t i) { return golden::u(1, i) < 0.04 ? 1 + golden::u(2, i) : 0; });
  expect_agreement(network, input, 15, 16, dtype == DType::kF32 ? 32 * 0x1p-24 : 32 * 0x1p-53);
}

TEST_P(FusedInference, AgreesInResNet18) {
  const DType dtype = GetParam();
  Build build{{}, dtype, 1};
  ResNet18 network(build, {.extent = 32, .classes = 10});
  golden::set_parameters(network);
  const Tensor input = allocate_tensor({}, {2, 3, 32, 32}, dtype);
  golden::fill(input, [](std::size_t i) { return golden::u(1, i) - 0.5; });
  expect_agreement(network, input, 20, 20, dtype == DType::kF32 ? 64 * 0x1p-24 : 64 * 0x1p-53);
}

// A network for inference only, with the weights of `learnt`, in the precision of `context`.
std::vector<double> ask_loaded(Context& context, UmResNet& learnt, const Tensor& input) {
  Build build{};
  build.learns = false;
  build.precision = context.precision;
  UmResNet network(build, {8, 1, 25, 14, 0.0});
  const auto from = learnt.state();
  const auto to = network.state();
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i].tensor.dtype() == DType::kI64) continue;
    const std::vector<double> values = to_host(from[i].tensor, context.stream);
    from_host(values, to[i].tensor, context.stream);
  }
  return ask(context, network, input, nullptr).values;
}

TEST(FusedInferenceBf16, StoresWhatItWouldRoundAndStaysNearFp32) {
  const Registry registry = make_registry();
  Context context(registry, {});
  Build build{{}, DType::kF32, 1};
  UmResNet learnt(build, {8, 1, 25, 14, 0.0});
  golden::set_parameters(learnt);
  set_statistics(learnt);
  const Tensor input = allocate_tensor({}, {5, 1, 25, 25, 25}, DType::kF32);
  golden::fill(input, [](std::size_t i) { return golden::u(1, i) < 0.04 ? 1 + golden::u(2, i) : 0; });
  const Answer exact = ask(context, learnt, input, nullptr);
  context.precision = Precision::kBf16;
  const Answer rounded = ask(context, learnt, input, nullptr);
  EXPECT_EQ(rounded.calls.at("conv_inference"), 15);
  EXPECT_EQ(rounded.values, ask_loaded(context, learnt, input));
  double largest = 0, furthest = 0;
  for (std::size_t i = 0; i < exact.values.size(); ++i) {
    largest = std::max(largest, std::abs(exact.values[i]));
    furthest = std::max(furthest, std::abs(exact.values[i] - rounded.values[i]));
  }
  EXPECT_LT(furthest, 0.02 * largest);  // 15 layers, 2.3e-3 of the output each at most
  EXPECT_GT(furthest, 1e-6 * largest);  // something was rounded
}

TEST(FusedInferenceBf16, RefusesToRecord) {
  const Registry registry = make_registry();
  Context context(registry, {});
  Build build{};
  build.learns = false;
  build.precision = Precision::kBf16;
  UmResNet network(build, {8, 1, 25, 14, 0.0});
  for (const Parameter& p : network.parameters()) {
    const bool of_a_conv = p.value().shape().rank() == 5 && p.value().shape()[1] > 1;
    EXPECT_EQ(p.value().dtype(), of_a_conv ? DType::kBf16 : DType::kF32) << p.name;
  }
  const Tensor input = allocate_tensor({}, {2, 1, 25, 25, 25}, DType::kF32);
  golden::fill(input, [](std::size_t) { return 0.0; });
  Tape tape(context);
  EXPECT_THROW(ask(context, network, input, &tape), Error);
}

INSTANTIATE_TEST_SUITE_P(Precisions, FusedInference, testing::Values(DType::kF32, DType::kF64),
                         [](const auto& dtype) { return std::string(name_of(dtype.param)); });

}  // namespace
}  // namespace umbra
