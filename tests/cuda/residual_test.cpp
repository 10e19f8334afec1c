// The gradient of an input that several operations read: dgrad adds the other one's gradient to its own before it stores
// it, with the bits of a separate sum.
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "engine/grad/functions.h"
#include "engine/nn/layers.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

constexpr Device kGpu{Device::Kind::kCuda, 0};

// -0 is not 0.
std::vector<std::uint64_t> bits(const std::vector<double>& numbers) {
  std::vector<std::uint64_t> made;
  for (const double number : numbers) made.push_back(std::bit_cast<std::uint64_t>(number));
  return made;
}

struct Gradients {
  std::vector<double> x, w;
  std::map<std::string, int> calls;  // of ops in the backward pass
  std::vector<std::string> dgrads;   // their texts
};

std::vector<double> normals(std::int64_t count, std::uint64_t stream) {
  const Rng rng(stream, Purpose::kTest);
  std::vector<double> made(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = rng.normal(i);
  return made;
}

// relu(batch_norm(conv(x)) + x), a residual block, on 5 boxes of 3^3 with 12 channels. `shortcut`: a convolution with
// stride 2 reads x, too. `observed`: the walk has an observer, who sees the terms of every sum.
Gradients gradients(Precision precision, bool shortcut, bool observed) {
  const Registry registry = make_registry();
  Context context(registry, kGpu);
  context.precision = precision;
  Build build{.device = kGpu, .seed = 2};
  Conv convolution(build, {3, 12, 12, 3, 3, 1, 1}), strided(build, {3, 12, 12, 3, 1, 2, 0});
  BatchNorm norm(build, 12);
  const Var x = constant(allocate_tensor(kGpu, {5, 12, 3, 3, 3}, DType::kF32, Layout::batch_last()));
  x->needs_grad = true;
  from_host(normals(x->value.count(), 1), x->value, context.stream);
  const Tensor target = allocate_tensor(kGpu, {5, 12}, DType::kF32);
  from_host(normals(target.count(), 2), target, context.stream);
  Tape tape(context);
  Pass pass{context, &tape, true};
  const Var first = convolution.forward(pass, x);
  const Var second = shortcut ? strided.forward(pass, x) : nullptr;
  Var y = mean_pool(pass, norm.forward_relu(pass, first, x));
  if (shortcut) y = add(pass, y, mean_pool(pass, second));
  const Var loss = mean_squared_error(pass, to_row_major(pass, y), target);
  Gradients made;
  context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
    ++made.calls[std::string(op.name())];
    if (op.name() == "conv_dgrad") made.dgrads.push_back(op.text());
  };
  BackwardOptions options;
  if (observed) options.observer = [](const Node&, std::span<const Tensor>) {};
  tape.backward(loss, options);
  context.observer = nullptr;
  made.x = to_host(x->grad, context.stream);
  for (const Parameter& p : convolution.parameters()) made.w = to_host(p.grad(), context.stream);
  return made;
}

TEST(CudaResidual, ItsGradientIsAddedByDgrad) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  cuda_test::set_schedule(0);
  for (const Precision precision : kPrecisions) {
    for (const bool shortcut : {false, true}) {
      const int convolutions = shortcut ? 2 : 1;
      const Gradients added = gradients(precision, shortcut, false);
      Gradients separate = gradients(precision, shortcut, true);
      EXPECT_EQ(std::ssize(added.dgrads), convolutions);
      for (const std::string& text : added.dgrads) EXPECT_TRUE(text.ends_with(" addend")) << text;
      for (const std::string& text : separate.dgrads) EXPECT_FALSE(text.ends_with(" addend")) << text;
      EXPECT_EQ(bits(added.x), bits(separate.x)) << separate.dgrads[0];
      EXPECT_EQ(bits(added.w), bits(separate.w)) << separate.dgrads[0];
      EXPECT_EQ(separate.calls["add"], convolutions);
      separate.calls.erase("add");
      EXPECT_EQ(added.calls, separate.calls);  // without the calls that add
    }
  }
}

}  // namespace
}  // namespace umbra
