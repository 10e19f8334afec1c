// Packed activations: the same bits as with kernels that pack for themselves, one packing for all that read a tensor,
// and never numbers that the tensor no longer has.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "engine/grad/functions/packed_activations.h"
#include "engine/nn/layers.h"
#include "engine/runtime/graph.h"
#include "tests/cuda/on_device.h"
#include "tests/cuda/packed_operands.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

constexpr Device kGpu{Device::Kind::kCuda, 0};
constexpr std::int64_t kSamples = 5, kInputs = 12, kOutputs = 20, kSide = 4;
using Numbers = std::vector<double>;

Numbers normals(std::int64_t count, std::uint64_t stream) {
  const Rng rng(17, Purpose::kTest, stream);
  Numbers numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = rng.normal(i);
  return numbers;
}

ConvGeometry geometry() {
  ConvGeometry g;
  g.batch = kSamples;
  g.in_channels = kInputs;
  g.out_channels = kOutputs;
  g.in = {kSide, kSide, kSide};
  g.kernel = {3, 3, 3};
  g.stride = {2, 2, 2};
  g.padding = {1, 1, 1};
  return g;
}

template <class O>
O problem(Precision precision, bool packed) {
  O op(DType::kF32, geometry(), precision);
  op.packed = packed;
  return op;
}

struct CudaPacked : testing::Test {
  void SetUp() override {
    if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
    if (make_registry().choose_if_any(problem<ConvFprop>(Precision::kBf16, true), kGpu.kind) == nullptr)
      GTEST_SKIP() << "this GPU has no wgmma, whose kernels read packed operands";
    cuda_test::set_schedule(0);
  }
};

Tensor on_gpu(Context& context, const BufferSpec& spec, std::uint64_t stream) {
  const Tensor tensor = context.temporary({spec.count}, spec.dtype);
  from_host(normals(spec.count, stream), tensor, context.stream);
  return tensor;
}

constexpr std::size_t kResult = 2;  // after x, dy or w

// The tensors of a problem that is not packed; dgrad's addend is undefined.
template <class O>
std::vector<Tensor> tensors_of(Context& context, const O& op) {
  std::vector<Tensor> tensors;
  for (const BufferSpec& spec : op.buffers()) {
    if (spec.access == Access::kOut)
      tensors.push_back(context.temporary({spec.count}, spec.dtype));
    else
      tensors.push_back(spec.count == 0 ? Tensor() : on_gpu(context, spec, tensors.size()));
  }
  return tensors;
}

Tensor packed_part(Context& context, const Tensor& x, std::int64_t positions, std::int64_t channels,
                   Precision precision, bool straight) {
  const Tensor shaped = context.temporary({kSamples, channels, positions}, x.dtype(), Layout::batch_last());
  copy(x, shaped.elements(0, x.count()), context.stream);
  const PackedActivation packed = pack_activation(context, shaped, precision);
  return straight ? packed.straight : packed.transposed;
}

// The result of one kernel on packed or other activations.
template <class O>
Numbers result(const std::string& rung, Precision precision, bool packed) {
  Registry registry = make_registry();
  registry.prefer(O::kName, rung);
  Context context(registry, kGpu);
  const O op = problem<O>(precision, packed);
  std::vector<Tensor> tensors = tensors_of(context, problem<O>(precision, false));
  const std::int64_t volume = op.geometry.in_volume(), out_volume = op.geometry.out_volume();
  if (packed) {
    const bool of_weights = std::is_same_v<O, ConvWgrad>, of_input = std::is_same_v<O, ConvDgrad>;
    if (!of_input) tensors[0] = packed_part(context, tensors[0], volume, kInputs, precision, of_weights);
    if (of_input) tensors[0] = packed_part(context, tensors[0], out_volume, kOutputs, precision, false);
    if (of_weights) tensors[1] = packed_part(context, tensors[1], out_volume, kOutputs, precision, true);
  }
  EXPECT_EQ(registry.choose(op, kGpu.kind).rung, rung) << op.text();
  call(context, op, tensors);
  return to_host(tensors[kResult], context.stream);
}

template <class O>
void expect_same_bits() {
  cuda_test::expect_bits_of_kernels_that_pack(result<O>);
}
TEST_F(CudaPacked, GivesTheBitsOfAKernelThatPacks) {
  expect_same_bits<ConvFprop>();
  expect_same_bits<ConvDgrad>();
  expect_same_bits<ConvWgrad>();
}

TEST_F(CudaPacked, OnlyKernelsThatPackReadPackedActivations) {
  Registry registry = make_registry();
  cuda_test::add_peers(registry);
  int readers = 0;
  const auto check = [&](const ConvOp& op) {
    readers += cuda_test::expect_only_kernels_that_pack_read(registry, op, op.geometry.plain());
  };
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    check(problem<ConvFprop>(precision, true));
    check(problem<ConvDgrad>(precision, true));
    check(problem<ConvWgrad>(precision, true));
    ConvFprop dilated = problem<ConvFprop>(precision, true);
    dilated.geometry.dilation = {2, 2, 2};
    check(dilated);
  }
  EXPECT_EQ(readers, 2 * 4 * 4);
}

// Kernels of the same rungs that read no packed operands.
Registry registry_without() {
  Registry registry;
  const Registry all = make_registry();
  for (Ladder ladder : all.ladders()) {
    for (Kernel& kernel : ladder.kernels) {
      if (ladder.op.starts_with("conv_") && ladder.op != "conv_inference" && kernel.rung == "cuda_7_cluster")
        kernel.declines = [](const Op& op) { return static_cast<const ConvOp&>(op).unusual(); };
    }
    registry.add(ladder);
  }
  return registry;
}

// A residual block without batch norm: two convolutions, and a shortcut that reads what the first of them reads.
struct Block {
  explicit Block(Build build)
      : first(build, {3, kInputs, kOutputs, kSide, 3, 2, 1}),
        second(build, {3, kOutputs, kOutputs, kSide / 2, 3, 1, 1}),
        shortcut(build, {3, kInputs, kOutputs, kSide, 1, 2, 0}) {}
  Var forward(Pass& pass, const Var& x) {
    return add(pass, second.forward(pass, first.forward(pass, x)), shortcut.forward(pass, x));
  }
  Conv first, second, shortcut;
};

class Step {
 public:
  Step(const Registry& registry, Precision precision, const Numbers& numbers)
      : context_(registry, kGpu), block_(Build{.device = kGpu, .seed = 3, .precision = precision}) {
    context_.precision = precision;
    context_.observer = [this](const Op& op, const Kernel& kernel, std::span<const Tensor>, double) {
      packings += op.name() == PackOperand::kName ? 1 : 0;
      if (op.name().starts_with("conv_") && op.text().find(" packed") != std::string::npos) ++packed;
      rungs += op.name().starts_with("conv_") && kernel.rung == "cuda_7_cluster" ? 1 : 0;
    };
    x = constant(
        allocate_tensor(kGpu, {kSamples, kInputs, kSide, kSide, kSide}, DType::kF32, Layout::batch_last()));
    x->needs_grad = true;
    set(numbers);
  }
  void set(const Numbers& numbers) { from_host(numbers, x->value, context_.stream); }
  // Queues a step: y and the gradients of x and the weights.
  std::vector<Tensor> queue() {
    packings = packed = rungs = 0;
    Tape tape(context_);
    Pass pass{context_, &tape, true};
    const Var y = block_.forward(pass, x);
    tape.backward(reduce_axes(pass, mul(pass, y, y), AxisReduction::kMean, {}));
    std::vector<Tensor> all{y->value, std::exchange(x->grad, {})};
    for (Module* layer : std::initializer_list<Module*>{&block_.first, &block_.second, &block_.shortcut})
      for (const Parameter& p : layer->parameters()) all.push_back(std::exchange(p.grad(), {}));
    return all;
  }
  std::vector<Numbers> numbers(const std::vector<Tensor>& tensors) {
    std::vector<Numbers> all;
    for (const Tensor& tensor : tensors) all.push_back(to_host(tensor, context_.stream));
    return all;
  }
  std::vector<Numbers> step() { return numbers(queue()); }
  Context& context() { return context_; }
  Block& block() { return block_; }

  Var x;
  int packings = 0, packed = 0, rungs = 0;  // calls of the last step

 private:
  Context context_;
  Block block_;
};

Numbers input(std::uint64_t stream) {
  return normals(kSamples * kInputs * kSide * kSide * kSide, stream);
}

TEST_F(CudaPacked, AStepPacksEveryActivationOnce) {
  const Registry with = make_registry(), without = registry_without();
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    Step packs(with, precision, input(1)), each(without, precision, input(1));
    const std::vector<Numbers> once = packs.step();
    EXPECT_EQ(once, each.step()) << name_of(precision);
    // The block's input, that of its second convolution, three gradients; in TF32 both forms of the weights, once.
    EXPECT_EQ(packs.packings, precision == Precision::kTf32 ? 5 + 6 : 5);
    EXPECT_EQ(packs.packed, 9);
    EXPECT_EQ(each.packings, 0);
    EXPECT_EQ(each.packed, 0);
    EXPECT_EQ(packs.rungs, 9);
    EXPECT_EQ(each.rungs, 9);
    cuda_test::set_schedule(2);
    EXPECT_EQ(once, packs.step()) << name_of(precision);
    cuda_test::set_schedule(0);
  }
}

// A tensor that is written between two steps, or replaced between two layers, is packed again.
TEST_F(CudaPacked, NothingIsPackedOfOldNumbers) {
  const Registry registry = make_registry();
  Step changes(registry, Precision::kBf16, input(1)), fresh(registry, Precision::kBf16, input(2));
  changes.step();
  changes.set(input(2));
  EXPECT_EQ(changes.step(), fresh.step());

  Tape tape(changes.context());
  Pass pass{changes.context(), &tape, true};
  const auto values = [&](const Var& y) { return to_host(y->value, changes.context().stream); };
  const Numbers second = values(changes.block().shortcut.forward(pass, changes.x));
  const Tensor other = allocate_tensor(kGpu, changes.x->value.shape(), DType::kF32, Layout::batch_last());
  from_host(input(1), other, changes.context().stream);
  changes.x->value = other;
  changes.packings = 0;
  const Numbers first = values(changes.block().shortcut.forward(pass, changes.x));
  EXPECT_EQ(changes.packings, 1);
  EXPECT_NE(first, second);
  Tape another(changes.context());
  Pass again{changes.context(), &another, true};
  EXPECT_EQ(values(changes.block().shortcut.forward(again, changes.x)), first);
}

TEST_F(CudaPacked, AReplayedStepPacksTheNumbersThatAreThere) {
  const Registry registry = make_registry();
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    Step replays(registry, precision, input(1)), fresh(registry, precision, input(1));
    replays.queue();  // after it the arena has all the memory that a step needs
    replays.context().observer = nullptr;
    std::vector<Tensor> results;
    const Graph graph(replays.context().stream, [&] { results = replays.queue(); });
    for (const std::uint64_t stream : {1, 2, 3}) {
      replays.set(input(stream));
      fresh.set(input(stream));
      graph.launch(replays.context().stream);
      EXPECT_EQ(replays.numbers(results), fresh.step()) << name_of(precision) << ' ' << stream;
    }
  }
}

// Without a gradient of the weights, without a tape and on other kernels nothing is packed ahead.
TEST_F(CudaPacked, IsLeftToTheKernelsWhereNothingIsShared) {
  Registry registry = make_registry();
  Step run(registry, Precision::kBf16, input(1));
  const std::vector<Numbers> bits = run.step();
  Pass pass{run.context()};
  run.packings = run.packed = 0;
  EXPECT_EQ(to_host(run.block().forward(pass, run.x)->value, run.context().stream), bits[0]);
  EXPECT_EQ(run.packings + run.packed, 0);
  registry.prefer("conv_dgrad", "cuda_3_mma");
  run.step();
  EXPECT_EQ(run.packings, 5);
  EXPECT_EQ(run.packed, 6);  // all but dgrad
  EXPECT_EQ(run.rungs, 6);
  for (const char* pass_of : {"conv_wgrad", "conv_fprop"}) {
    Registry other = make_registry();
    other.prefer(pass_of, "cuda_3_mma");
    Step self(other, Precision::kBf16, input(1));
    self.step();
    EXPECT_EQ(self.packings + self.packed, 0) << pass_of;
    EXPECT_EQ(self.rungs, 6) << pass_of;
  }
  for (Module* layer : std::initializer_list<Module*>{&run.block().first, &run.block().shortcut})
    for (const Parameter& p : layer->parameters()) p.var->needs_grad = false;
  Tape tape(run.context());
  Pass frozen{run.context(), &tape, true};
  run.packings = 0;
  run.block().first.forward(frozen, run.x);
  EXPECT_EQ(run.packings, 0);
}

}  // namespace
}  // namespace umbra
