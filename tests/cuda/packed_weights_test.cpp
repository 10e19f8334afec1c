// Packed weights: the same bits as with kernels that pack for themselves, packed once after every update and once in
// inference, never of old numbers; which kernels read them.
#include "engine/grad/packed_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/io/safetensors.h"
#include "engine/nn/layers.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/data_movement/pack_operand_reference.h"
#include "engine/optim/optimizer.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/graph.h"
#include "tests/cuda/packed_operands.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

constexpr Device kGpu{Device::Kind::kCuda, 0};
constexpr std::int64_t kSamples = 5, kInputs = 6, kOutputs = 10;  // both orders have gaps after rows
using Numbers = std::vector<double>;

Numbers normals(std::int64_t count, std::uint64_t stream) {
  const Rng rng(23, Purpose::kTest, stream);
  Numbers numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = rng.normal(i);
  return numbers;
}

ConvGeometry geometry() {
  ConvGeometry g;
  g.batch = kSamples;
  g.in_channels = kInputs;
  g.out_channels = kOutputs;
  g.in = {2, 2, 2};
  g.kernel = {3, 3, 3};
  g.stride = {2, 2, 2};  // 8 of 27 taps touch data
  g.padding = {1, 1, 1};
  return g;
}

template <class O>
O problem(Precision precision, bool weights_packed) {
  O op = [&] {
    if constexpr (std::is_same_v<O, ConvInference>)
      return O(DType::kF32, geometry(), 1e-5, true, true, precision);
    else
      return O(DType::kF32, geometry(), precision);
  }();
  op.weights_packed = weights_packed;
  return op;
}

struct CudaPackedWeights : testing::Test {
  void SetUp() override {
    if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
    if (!backend_of(kGpu.kind).has_wgmma())
      GTEST_SKIP() << "this GPU has no wgmma, whose kernels read packed weights";
    cuda_test::set_schedule(0);
  }
};

// The result of one kernel on packed or other weights.
template <class O>
Numbers result(const std::string& rung, Precision precision, bool weights_packed) {
  Registry registry = make_registry();
  registry.prefer(O::kName, rung);
  Context context(registry, kGpu);
  std::vector<Tensor> tensors;
  for (const BufferSpec& spec : problem<O>(precision, false).buffers()) {
    tensors.push_back(spec.count == 0 ? Tensor() : context.temporary({spec.count}, spec.dtype));
    if (spec.count == 0 || spec.access == Access::kOut) continue;
    Numbers numbers = normals(spec.count, tensors.size());
    if (spec.fill == Fill::kPositive)
      std::for_each(numbers.begin(), numbers.end(), [](double& n) { n = n * n + 0.1; });
    from_host(numbers, tensors.back(), context.stream);
  }
  if (weights_packed) {
    const bool straight = std::is_same_v<O, ConvDgrad> || precision == Precision::kBf16;
    const PackOperand pack(DType::kF32, precision,
                           {{geometry().live_taps(), kInputs, kOutputs, straight, !straight}});
    const BufferSpec form = pack.buffers()[straight ? 1 : 2];
    const Tensor packed = context.temporary({form.count}, form.dtype);
    call(context, pack, {tensors[1], straight ? packed : Tensor(), straight ? Tensor() : packed});
    tensors[1] = packed;
  }
  const O op = problem<O>(precision, weights_packed);
  EXPECT_EQ(registry.choose(op, kGpu.kind).rung, rung) << op.text();
  call(context, op, tensors);
  return to_host(tensors[std::is_same_v<O, ConvInference> ? 7 : 2], context.stream);
}

template <class O>
void expect_same_bits() {
  cuda_test::expect_bits_of_kernels_that_pack(result<O>);
}
TEST_F(CudaPackedWeights, GiveTheBitsOfAKernelThatPacks) {
  expect_same_bits<ConvFprop>();
  expect_same_bits<ConvDgrad>();
  expect_same_bits<ConvInference>();
}

TEST_F(CudaPackedWeights, AreReadOnlyByKernelsThatPack) {
  Registry registry = make_registry();
  cuda_test::add_peers(registry);
  int readers = 0;
  const auto check = [&](const Op& op) {
    readers += cuda_test::expect_only_kernels_that_pack_read(registry, op, true);
  };
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    check(problem<ConvFprop>(precision, true));
    check(problem<ConvDgrad>(precision, true));
    check(problem<ConvInference>(precision, true));
  }
  EXPECT_EQ(readers, 2 * 3 * 4);
}

// Kernels of the same rungs that read no packed weights.
Registry registry_without() {
  Registry registry;
  const Registry all = make_registry();
  for (Ladder ladder : all.ladders()) {
    for (Kernel& kernel : ladder.kernels) {
      if (ladder.op.starts_with("conv_") && kernel.rung == "cuda_7_cluster")
        kernel.declines = [](const Op& op) {
          return std::string(op.text().find("weights=packed") == std::string::npos ? "" : "packed weights");
        };
    }
    registry.add(ladder);
  }
  return registry;
}

// Four convolutions of different sizes, one as wide as it is deep, one with dead taps, and a shortcut.
struct Net final : Module {
  explicit Net(Build build)
      : first(add_child("first",
                        std::make_shared<Conv>(build, Conv::Options{3, kInputs, kOutputs, 3, 3, 2, 1}))),
        second(add_child("second",
                         std::make_shared<Conv>(build, Conv::Options{3, kOutputs, kOutputs, 2, 3, 1, 1}))),
        norm(add_child("norm", std::make_shared<BatchNorm>(build, kOutputs))),
        third(add_child("third", std::make_shared<Conv>(build, Conv::Options{3, kOutputs, 7, 2, 3, 2, 1}))),
        shortcut(add_child("shortcut",
                           std::make_shared<Conv>(build, Conv::Options{3, kOutputs, 7, 2, 1, 2, 0}))) {}
  Var forward(Pass& pass, const Var& x) override {
    const Var h = first->forward(pass, x);
    const Var k = norm->forward_conv(pass, *second, h, true);
    return add(pass, third->forward(pass, k), shortcut->forward(pass, h));
  }
  std::shared_ptr<Conv> first, second;
  std::shared_ptr<BatchNorm> norm;
  std::shared_ptr<Conv> third, shortcut;
};

class Runner {
 public:
  explicit Runner(const Registry& registry, bool learns = true, bool input_learns = true)
      : context(registry, kGpu),
        net(Build{.device = kGpu, .seed = 3, .learns = learns, .precision = Precision::kTf32}) {
    context.precision = Precision::kTf32;
    context.observer = [this](const Op& op, const Kernel& kernel, std::span<const Tensor> tensors, double) {
      reads += op.text().find("weights=packed") != std::string::npos ? 1 : 0;
      rungs.insert(op.name().starts_with("conv_") ? concat(op.name(), " ", kernel.rung) : "");
      if (op.name() != PackOperand::kName) return;
      for (const Parameter& p : net.parameters()) packings += p.var->is_at(tensors[0].data()) ? 1 : 0;
    };
    x = constant(allocate_tensor(kGpu, {kSamples, kInputs, 3, 3, 3}, DType::kF32, Layout::batch_last()));
    x->needs_grad = learns && input_learns;
    from_host(normals(kSamples * kInputs * 27, 1), x->value, context.stream);
  }
  // A step: y, the gradient of x, if it has one, and the weights after it.
  std::vector<Numbers> step(Optimizer& optimizer) {
    packings = reads = 0;
    Tape tape(context);
    Pass pass{context, &tape, true};
    const Var y = net.forward(pass, x);
    tape.backward(reduce_axes(pass, mul(pass, y, y), AxisReduction::kMean, {}));
    optimizer.step(context, 0.01);
    std::vector<Numbers> all{host(y->value)};
    if (x->needs_grad) all.push_back(host(std::exchange(x->grad, {})));
    for (const Parameter& p : net.parameters()) all.push_back(host(p.value()));
    return all;
  }
  Numbers infer() {
    packings = reads = 0;
    return host(forward());
  }
  Tensor forward() {
    Pass pass{context};
    return net.forward(pass, x)->value;
  }
  // What weights and running statistics are, positive where they must be.
  void write(std::uint64_t stream) {
    for (const NamedTensor& t : net.state()) {
      if (t.tensor.dtype() != DType::kF32) continue;
      Numbers numbers = normals(t.tensor.shape().count(), stream);
      for (double& n : numbers) n = n * n + 0.1;
      from_host(numbers, t.tensor, context.stream);
    }
  }
  int forms() const {
    int defined = 0;
    for (const Parameter& p : net.parameters())
      for (const Tensor& form : {p.var->packed.straight, p.var->packed.transposed}) defined += form.defined();
    return defined;
  }
  Numbers host(const Tensor& tensor) { return to_host(tensor, context.stream); }

  Context context;
  Net net;
  Var x;
  int packings = 0, reads = 0;  // of weights, in the last step
  std::set<std::string> rungs;  // of convolutions
};

// What the forms of a weight must be.
void expect_rounded(Runner& run, const Parameter& p) {
  const Tensor& value = p.value();
  const std::int64_t inputs = value.shape()[1], outputs = value.shape()[0],
                     live = p.var->grad_layout.stored(value.shape());
  const PackOperand op(DType::kF32, Precision::kTf32, {{live / (inputs * outputs), inputs, outputs}});
  const Numbers numbers = run.host(value.elements(0, live));
  const std::vector<float> weights(numbers.begin(), numbers.end());
  const auto specs = op.buffers();
  std::vector<float> straight(static_cast<std::size_t>(specs[1].count)),
      transposed(static_cast<std::size_t>(specs[2].count));
  pack_stack_reference(op.stacks[0], op.precision, weights.data(), straight.data(), transposed.data());
  EXPECT_EQ(run.host(p.var->packed.straight), Numbers(straight.begin(), straight.end())) << p.name;
  EXPECT_EQ(run.host(p.var->packed.transposed), Numbers(transposed.begin(), transposed.end())) << p.name;
}

constexpr int kLayers = 4;

TEST_F(CudaPackedWeights, OfAllLayersAreMadeByOneCallAfterAnUpdate) {
  const Registry with = make_registry(), without = registry_without();
  Runner packs(with), each(without);
  const auto optimizer = make_adam(packs.net.parameters(), {.weight_decay = 1e-2}),
             other = make_adam(each.net.parameters(), {.weight_decay = 1e-2});
  for (int step = 0; step < 3; ++step) {
    cuda_test::set_schedule(step);
    EXPECT_EQ(packs.step(*optimizer), each.step(*other)) << step;
    EXPECT_EQ(packs.packings, step == 0 ? 2 * kLayers + 1 : 1) << step;  // each form when it is first read
    EXPECT_EQ(packs.reads, 2 * kLayers) << step;
    EXPECT_EQ(each.reads, 0);
    for (const Parameter& p : packs.net.parameters())
      if (p.value().shape().rank() == 5) expect_rounded(packs, p);
  }
  cuda_test::set_schedule(0);
  const Numbers inferred = packs.infer();
  EXPECT_EQ(inferred, each.infer());
  EXPECT_EQ(packs.packings, 0);
  EXPECT_EQ(packs.reads, kLayers);
}

// Weights that somebody writes, such as those of a checkpoint, and weights without a gradient.
TEST_F(CudaPackedWeights, AreNeverOfOldNumbers) {
  const Registry registry = make_registry();
  Runner run(registry), other(registry);
  const auto optimizer = make_adam(run.net.parameters(), {}), its = make_adam(other.net.parameters(), {});
  const Numbers before = run.infer();
  other.step(*its);
  for (std::size_t i = 0; i < run.net.state().size(); ++i)
    copy(other.net.state()[i].tensor, run.net.state()[i].tensor, other.context.stream);
  other.context.stream.synchronize();
  run.net.renew_copies();
  const Numbers written = run.infer();
  EXPECT_EQ(written, other.infer());
  EXPECT_NE(written, before);
  EXPECT_EQ(run.packings, 0);
  run.net.first->parameters()[0].var->needs_grad = false;
  const auto rest = make_adam(run.net.parameters(), {});
  for (int step = 0; step < 2; ++step) run.step(*rest);
  EXPECT_EQ(run.packings, 1);
  for (const Parameter& p : run.net.parameters())
    if (p.value().shape().rank() == 5) expect_rounded(run, p);
}

// A network for inference has one of the forms, made when it is first read, after the weights have been loaded.
TEST_F(CudaPackedWeights, OfANetworkForInferenceAreMadeOnce) {
  const Registry with = make_registry(), without = registry_without();
  Runner packs(with, /*learns=*/false), each(without, false);
  for (Runner* run : {&packs, &each}) run->write(7);
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_EQ(packs.infer(), each.infer());
    EXPECT_EQ(packs.packings, pass == 0 ? kLayers : 0);
    EXPECT_EQ(packs.reads, kLayers);
    EXPECT_EQ(each.reads, 0);
  }
  EXPECT_EQ(packs.forms(), kLayers);
}

// A graph has the addresses of the forms: what is written reaches it without a forward pass.
TEST_F(CudaPackedWeights, ReachACapturedPass) {
  const Registry registry = make_registry();
  Runner replays(registry, /*learns=*/false), fresh(registry, false);
  for (Runner* run : {&replays, &fresh}) run->write(7);
  const Numbers right = fresh.infer();
  replays.context.observer = nullptr;  // which waits
  // The first pass cannot be captured: a pass before the launch would read forms that nothing has filled.
  EXPECT_THROW(Graph(replays.context.stream, [&] { replays.forward(); }), Error);
  EXPECT_EQ(replays.infer(), right);
  Tensor y;
  const Graph graph(replays.context.stream, [&] { y = replays.forward(); });
  Runner other(registry, false);
  for (Runner* run : {&replays, &other}) run->write(8);
  replays.net.renew_copies();
  graph.launch(replays.context.stream);
  EXPECT_EQ(replays.host(y), other.infer());
}

TEST_F(CudaPackedWeights, AreThoseOfAFileThatIsLoaded) {
  const Registry registry = make_registry();
  Runner run(registry, /*learns=*/false), other(registry, false);
  run.write(7);
  other.write(8);
  run.infer();
  std::vector<NamedTensor> file;
  for (const NamedTensor& t : other.net.state()) {
    file.push_back({t.name, allocate_tensor({}, t.tensor.shape(), t.tensor.dtype())});
    from_host(other.host(t.tensor), file.back().tensor, other.context.stream);
  }
  load_state(run.net, file, "the file");
  EXPECT_EQ(run.infer(), other.infer());
}

// A kernel that is preferred runs although it reads no packed weights, and nothing is packed for the others.
TEST_F(CudaPackedWeights, DoNotDisplaceAPreferredKernel) {
  Registry registry = make_registry();
  registry.prefer("conv3d=cuda_3_mma,conv_inference=cuda_3_mma");
  Runner run(registry);
  const auto optimizer = make_adam(run.net.parameters(), {});
  for (int step = 0; step < 2; ++step) {
    run.step(*optimizer);
    EXPECT_EQ(run.packings + run.reads, 0);
  }
  run.infer();
  EXPECT_EQ(run.reads + run.forms(), 0);
  EXPECT_EQ(run.rungs, (std::set<std::string>{"", "conv_dgrad cuda_3_mma", "conv_fprop cuda_3_mma",
                                              "conv_inference cuda_3_mma", "conv_wgrad cuda_3_mma"}));
}

// A layer whose input has no gradient needs one form, before and after updates.
TEST_F(CudaPackedWeights, AreOnlyThoseThatAreRead) {
  const Registry registry = make_registry();
  Runner run(registry, /*learns=*/true, /*input_learns=*/false);
  EXPECT_EQ(run.forms(), 0);
  const auto optimizer = make_adam(run.net.parameters(), {});
  for (int step = 0; step < 2; ++step) run.step(*optimizer);
  EXPECT_EQ(run.packings, 1);
  EXPECT_EQ(run.forms(), 2 * kLayers - 1);
  EXPECT_FALSE(run.net.first->parameters()[0].var->packed.straight.defined());
}

// Where no kernel reads them there are none.
TEST_F(CudaPackedWeights, ExistInTf32OnAGpuOnly) {
  const auto packed_in = [](Device device, Precision precision, const Conv::Options& options) {
    const Registry registry = make_registry();
    Context context(registry, device);
    context.precision = precision;
    Build build{.device = device, .seed = 3, .precision = precision};
    Conv layer(build, options);
    const Tensor x = context.temporary({kSamples, options.in_channels, 3, 3, 3}, DType::kF32);
    from_host(normals(x.count(), 1), x, context.stream);
    Pass pass{context};
    to_host(layer.forward(pass, constant(x))->value, context.stream);
    return layer.parameters()[0].var->packed.transposed.defined();
  };
  const Conv::Options plain{3, kInputs, kOutputs, 3, 3, 2, 1};
  EXPECT_TRUE(packed_in(kGpu, Precision::kTf32, plain));
  EXPECT_FALSE(packed_in(kGpu, Precision::kF32, plain));
  EXPECT_FALSE(packed_in(kGpu, Precision::kBf16, plain));
  EXPECT_FALSE(packed_in({}, Precision::kTf32, plain));
  EXPECT_FALSE(packed_in(kGpu, Precision::kTf32, {3, 1, kOutputs, 3, 3, 2, 1})) << "computes in fp32";
  Conv::Options grouped = plain;
  grouped.groups = 2;
  grouped.in_channels = 12;
  EXPECT_FALSE(packed_in(kGpu, Precision::kTf32, grouped));
}

}  // namespace
}  // namespace umbra
