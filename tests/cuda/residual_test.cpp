// The gradient of an input that two operations read: dgrad adds the other one's gradient to its own before it stores
// it, with the bits of a separate sum.
#include <gtest/gtest.h>

#include <map>

#include "engine/grad/functions.h"
#include "engine/nn/layers.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

constexpr Device kGpu{Device::Kind::kCuda, 0};

struct Gradients {
  std::vector<double> x, w;
  std::map<std::string, int> calls;  // of ops in the backward pass
  std::string dgrad;                 // the text of the only one
};

std::vector<double> normals(std::int64_t count, std::uint64_t stream) {
  const Rng rng(stream, Purpose::kTest);
  std::vector<double> made(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = rng.normal(i);
  return made;
}

// relu(batch_norm(conv(x)) + x), a residual block, on 5 boxes of 3^3 with 12 channels. `observed`: the walk has an
// observer, who sees the terms of every sum.
Gradients gradients(Precision precision, bool observed) {
  const Registry registry = make_registry();
  Context context(registry, kGpu);
  context.precision = precision;
  Build build{.device = kGpu, .seed = 2};
  Conv convolution(build, {3, 12, 12, 3, 3, 1, 1});
  BatchNorm norm(build, 12);
  const Var x = constant(allocate_tensor(kGpu, {5, 12, 3, 3, 3}, DType::kF32, Layout::batch_last()));
  x->needs_grad = true;
  from_host(normals(x->value.count(), 1), x->value, context.stream);
  const Tensor target = allocate_tensor(kGpu, {5, 12}, DType::kF32);
  from_host(normals(target.count(), 2), target, context.stream);
  Tape tape(context);
  Pass pass{context, &tape, true};
  const Var y = norm.forward_relu(pass, convolution.forward(pass, x), x);
  const Var loss = mean_squared_error(pass, to_row_major(pass, mean_pool(pass, y)), target);
  Gradients made;
  context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
    ++made.calls[std::string(op.name())];
    if (op.name() == "conv_dgrad") made.dgrad = op.text();
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
    const Gradients added = gradients(precision, false);
    Gradients separate = gradients(precision, true);
    EXPECT_TRUE(added.dgrad.ends_with(" addend")) << added.dgrad;
    EXPECT_FALSE(separate.dgrad.ends_with(" addend")) << separate.dgrad;
    EXPECT_EQ(added.x, separate.x) << separate.dgrad;
    EXPECT_EQ(added.w, separate.w) << separate.dgrad;
    EXPECT_EQ(separate.calls.erase("add"), 1u);
    EXPECT_EQ(added.calls, separate.calls);  // without the call that adds
  }
}

}  // namespace
}  // namespace umbra
