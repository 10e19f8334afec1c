// The training loop of the README, compiled and run: two epochs of a UM ResNet on synthetic boxes must lower
// the loss.
#include <gtest/gtest.h>

#include "engine/optim/optimizer.h"
#include "engine/runtime/backend.h"
#include "engine/train/loader.h"
#include "models/um_resnet.h"

namespace umbra {
namespace {

// Boxes whose label is the number of occupied voxels, in two bins.
class CountedBoxes final : public Dataset {
 public:
  std::int64_t size() const override { return 64; }
  Shape input_shape() const override { return {1, 25, 25, 25}; }
  Shape target_shape() const override { return {2}; }
  void read(std::int64_t index, const Rng*, std::span<float> x, std::span<float> y) const override {
    const Rng rng(1, Purpose::kTest, static_cast<std::uint64_t>(index));
    const double density = 0.002 + 0.01 * rng.uniform(1 << 20);
    y[0] = y[1] = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double u = rng.uniform(i);
      x[i] = u < density ? 1.0F : 0.0F;
      if (u < density) y[u < density / 3 ? 1 : 0] += 0.01F;
    }
  }
};

TEST(Readme, TheTrainingLoopLearns) {
  const CountedBoxes boxes;
  double first = 0, last = 0;
  const int epochs = 6;
  // clang-format off
Registry registry = make_registry();
Context context(registry, parse_device("cpu"));
Build build{.device = context.device(), .seed = 1};
UmResNet net(build, {.channels = 4, .outputs = 2});
auto adam = make_adam(net.parameters(), {});
Loader loader(boxes, {.batch = 16, .seed = 1});
Tensor sigma = allocate_tensor(context.device(), {2}, DType::kF32);
from_host(std::vector<double>{0.1, 0.1}, sigma, context.stream);

for (std::int64_t step = 0; step < epochs * loader.batches_per_epoch(); ++step) {
  Batch batch = loader.load(context, step);                          // input [N, 1, 25, 25, 25], target [N, 2]
  Tape tape(context);
  Pass pass{context, &tape, /*training=*/true};
  Var loss = chi2_linear(pass, net.forward(pass, constant(batch.input)), batch.target, sigma);
  tape.backward(loss);
  adam->step(context, /*lr=*/0.01);
  last = to_host(loss->value, context.stream)[0];
  if (step == 0) first = last;
}
  // clang-format on
  EXPECT_LT(last, 0.5 * first);
}

}  // namespace
}  // namespace umbra
