#include "bench/problems.h"

#include <algorithm>
#include <set>
#include <string>

#include "engine/ops/batch_norm/op.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/matmul/op.h"
#include "engine/ops/optim/adam.h"
#include "engine/ops/stem/op.h"

namespace umbra {
namespace {

constexpr DType kF32 = DType::kF32, kHeldAsBf16 = DType::kBf16;
constexpr std::int64_t kBatch = 32;

/// The precision of operands, and the type in which weights that are only read are stored.
struct Rounding {
  Precision precision;
  DType weights = kF32;
};
using Roundings = std::vector<Rounding>;

/// Adds O(arguments…, precision, weights) for every rounding.
template <class O, class... Arguments>
void add_each(const Roundings& roundings, Problems& problems, const Arguments&... arguments) {
  for (const auto& [precision, weights] : roundings)
    problems.push_back(std::make_unique<O>(kF32, arguments..., precision, weights));
}
/// Weight gradients read no weights.
template <class O, class... Arguments>
void add_gradient(const Roundings& roundings, Problems& problems, const Arguments&... arguments) {
  for (const Rounding& rounding : roundings)
    problems.push_back(std::make_unique<O>(kF32, arguments..., rounding.precision));
}

void add_convolution(std::string_view op, const ConvGeometry& g, const Roundings& roundings,
                     Problems& problems) {
  if (op == "conv_fprop") add_each<ConvFprop>(roundings, problems, g);
  if (op == "conv_dgrad") add_each<ConvDgrad>(roundings, problems, g);
  if (op == "conv_wgrad") add_gradient<ConvWgrad>(roundings, problems, g);
}

void add_product(std::string_view op, std::int64_t rows, std::int64_t in, std::int64_t out,
                 const Roundings& roundings, Problems& problems) {
  if (op == "linear_fprop") add_each<LinearFprop>(roundings, problems, rows, in, out, false);
  if (op == "linear_dgrad") add_each<LinearDgrad>(roundings, problems, rows, in, out, false);
  if (op == "linear_wgrad") add_gradient<LinearWgrad>(roundings, problems, rows, in, out, false);
}

// The layers of the UM ResNet with `channels` channels on 32 boxes.
void add_layers(std::string_view op, std::int64_t channels, const Roundings& training,
                const Roundings& inference, Problems& problems) {
  for (const ConvGeometry& g : um_resnet_convolutions(kBatch, channels)) {
    add_convolution(op, g, training, problems);
    const bool main_path = g.kernel[2] == 3, last = main_path && g.stride[2] == 1;
    if (op == "conv_inference" && g.in_channels > 1)
      add_each<ConvInference>(inference, problems, g, 1e-5, main_path, last);
  }
  if (op == "adam_step") {
    const std::int64_t live = channels == 20 ? 299142 : channels == 100 ? 6255862 : 24663762;
    problems.push_back(std::make_unique<AdamStep>(kF32, live, 0.9, 0.999, 1e-8, 0.0, false));
  }
  const StemGeometry stem{kBatch,    1,         channels,  {25, 25, 25}, {3, 3, 3},
                          {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2},    {1, 1, 1}};
  if (op == "stem3d_forward") problems.push_back(std::make_unique<Stem3dForward>(kF32, stem, 1e-5, 0.1));
  if (op == "stem3d_inference") problems.push_back(std::make_unique<Stem3dInference>(kF32, stem, 1e-5));
  if (op == "stem3d_backward") problems.push_back(std::make_unique<Stem3dBackward>(kF32, stem));
  for (const auto& [outer, wide] : {std::pair{64, 1}, {8, 2}, {1, 4}}) {
    const std::int64_t c = wide * channels;
    for (const bool residual : {false, true}) {
      const BatchNormOptions options{.relu = true, .residual = residual};
      if (op == "batch_norm_forward")
        problems.push_back(std::make_unique<BatchNormForward>(kF32, outer, c, kBatch, 1e-5, 0.1, options));
      if (op == "batch_norm_inference")
        problems.push_back(std::make_unique<BatchNormInference>(kF32, outer, c, kBatch, 1e-5, options));
      if (op == "batch_norm_backward")
        problems.push_back(std::make_unique<BatchNormBackward>(kF32, outer, c, kBatch, options));
    }
  }
}

/// With packed activations and, in TF32, packed weights, as a step on tensor cores gives them.
template <class O, class... Arguments>
std::unique_ptr<O> packed(Arguments&&... arguments) {
  auto op = std::make_unique<O>(kF32, std::forward<Arguments>(arguments)...);
  op->packed = true;
  op->weights_packed = !std::is_same_v<O, ConvWgrad> && op->precision == Precision::kTf32;
  return op;
}

// The convolutions of the UM ResNet as its steps launch them. The dgrad of the first convolution of a block adds what the
// shortcut gives.
void add_step(std::string_view op, std::int64_t channels, const Roundings& roundings, Problems& problems) {
  for (const ConvGeometry& g : um_resnet_convolutions(kBatch, channels)) {
    for (const auto& [precision, weights] : roundings) {
      if (g.in_channels == 1) continue;  // in the stem
      if (op == "conv_fprop") problems.push_back(packed<ConvFprop>(g, precision, weights));
      if (op == "conv_wgrad") problems.push_back(packed<ConvWgrad>(g, precision));
      if (op != "conv_dgrad") continue;
      problems.push_back(packed<ConvDgrad>(g, precision, weights));
      if (g.kernel[2] == 1) continue;  // of the shortcut
      auto sum = packed<ConvDgrad>(g, precision, weights);
      sum->addend = true;
      problems.push_back(std::move(sum));
    }
  }
}

// Convolutions typical of 3-D networks. A batch of 32, or of 8 if an activation would have 2^30 elements or
// more.
void add_volumes(std::string_view op, const Roundings& roundings, Problems& problems) {
  for (const std::int64_t extent : {32, 64}) {
    for (const std::int64_t channels : {32, 64, 128}) {
      const bool large = kBatch * channels * extent * extent * extent >= std::int64_t{1} << 30;
      add_convolution(op, conv_on_cube(large ? 8 : kBatch, channels, channels, extent, 3, 1, 1), roundings,
                      problems);
    }
  }
}

// The distinct convolutions of ResNet18 on square images.
void add_images(std::string_view op, std::int64_t batch, std::int64_t extent, const Roundings& roundings,
                Problems& problems) {
  const auto add = [&](std::int64_t in, std::int64_t out, std::int64_t side, std::int64_t kernel,
                       std::int64_t stride) {
    add_convolution(op, conv_on_square(batch, in, out, side, kernel, stride, kernel / 2), roundings,
                    problems);
  };
  add(3, 64, extent, 7, 2);
  std::int64_t side = extent / 4;  // after the stem and its pool
  add(64, 64, side, 3, 1);
  for (std::int64_t channels = 64; channels < 512; channels *= 2, side /= 2) {
    add(channels, 2 * channels, side, 3, 2);
    add(channels, 2 * channels, side, 1, 2);
    add(2 * channels, 2 * channels, side / 2, 3, 1);
  }
}

/// Sets of problems without duplicates, also between sets.
class Sets {
 public:
  void add(std::string_view name, Problems problems) {
    sets_.push_back({name, {}});
    for (auto& problem : problems) {
      if (seen_.insert(problem->text()).second) sets_.back().problems.push_back(std::move(problem));
    }
  }
  std::vector<ProblemSet> take() { return std::move(sets_); }

 private:
  std::set<std::string> seen_;
  std::vector<ProblemSet> sets_;
};

std::vector<ProblemSet> on_cpu(const Ladder& ladder) {
  const Roundings training{{Precision::kF32}, {Precision::kBf16}};
  const Roundings inference{{Precision::kF32}, {Precision::kBf16}, {Precision::kBf16, kHeldAsBf16}};
  Problems problems = ladder.problems(kF32);
  for (const std::int64_t channels : {20, 100, 200})
    add_layers(ladder.op, channels, training, inference, problems);
  // Matrix products of the sizes that layers have, and squares.
  constexpr std::int64_t kSizes[][3] = {{2048, 5400, 200}, {256, 3200, 400},   {32, 800, 800},
                                        {512, 512, 512},   {1024, 1024, 1024}, {2048, 2048, 2048},
                                        {4096, 4096, 4096}};
  for (const auto& [rows, in, out] : kSizes)
    add_product(ladder.op, rows, in, out, {{Precision::kF32}}, problems);
  Sets sets;
  sets.add("", std::move(problems));
  return sets.take();
}

std::vector<ProblemSet> on_gpu(const Ladder& ladder) {
  const Roundings all{{Precision::kF32}, {Precision::kTf32}, {Precision::kBf16, kHeldAsBf16}};
  const Roundings on_tensor_cores{all[1], all[2]};
  Problems layers, step, volumes, images, squares;
  for (const std::int64_t channels : {20, 100, 200}) {
    add_step(ladder.op, channels, on_tensor_cores, step);
    add_layers(ladder.op, channels, all, all, layers);
    add_product(ladder.op, kBatch, 4 * channels, 320, all, layers);
  }
  add_product(ladder.op, kBatch, 320, 80, all, layers);
  add_product(ladder.op, kBatch, 80, 14, all, layers);
  add_volumes(ladder.op, all, volumes);
  add_images(ladder.op, 32, 224, all, images);
  add_images(ladder.op, 64, 64, all, images);
  for (const std::int64_t size : {1024, 2048, 4096, 8192})
    add_product(ladder.op, size, size, size, all, squares);
  Sets sets;
  sets.add("layers", std::move(layers));
  sets.add("step", std::move(step));
  sets.add("volumes", std::move(volumes));
  sets.add("images", std::move(images));
  sets.add("squares", std::move(squares));
  sets.add("tests", ladder.problems(kF32));
  return sets.take();
}

}  // namespace

std::vector<ProblemSet> benchmark_problems(const Ladder& ladder, Device::Kind device) {
  return device == Device::Kind::kCpu ? on_cpu(ladder) : on_gpu(ladder);
}

}  // namespace umbra
