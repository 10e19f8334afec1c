// Counts and names of ResNet18 as in torchvision, and that it learns.
#include "models/resnet18.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/optim/optimizer.h"

namespace umbra {
namespace {

TEST(ResNet18, HasTorchvisionsParameters) {
  Build build;
  const ResNet18 network(build, {});
  std::int64_t all = 0;
  for (const Parameter& p : network.parameters()) all += p.value().count();
  EXPECT_EQ(all, 11689512);
  std::set<std::string> names;
  for (const NamedTensor& t : network.state()) names.insert(t.name);
  EXPECT_EQ(names.size(), 122U);
  for (const char* name : {"conv1.weight", "bn1.running_var", "layer1.1.conv2.weight",
                           "layer2.0.downsample.0.weight", "layer4.1.bn2.bias", "fc.bias"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(ResNet18, TapsThatMeetOnlyPaddingAreDead) {
  Build build;
  const ResNet18 network(
      build, {.extent = 32, .classes = 10});  // layer4 works on one position: 8 of 9 taps are dead
  for (const Parameter& p : network.parameters()) {
    const std::int64_t live = p.var->grad_layout.stored(p.value().shape());
    if (p.name == "layer4.1.conv1.weight") {
      EXPECT_EQ(live, 512 * 512);
    } else if (p.name == "layer3.1.conv1.weight") {
      EXPECT_EQ(live, 256 * 256 * 9);
    }
  }
}

TEST(ResNet18, TheStemOfSmallImagesKeepsTheirSize) {
  Build build;
  ResNet18 network(build, {.extent = 16, .in_channels = 2, .classes = 5, .stem = "3x3", .channels = 8});
  std::int64_t all = 0;
  for (const Parameter& p : network.parameters()) {
    all += p.value().count();
    if (p.name == "conv1.weight") {
      EXPECT_EQ(p.value().shape(), (Shape{8, 2, 3, 3}));
    }
    if (p.name == "layer4.1.conv2.weight") {
      EXPECT_EQ(p.value().shape(), (Shape{64, 64, 3, 3}));
      EXPECT_EQ(p.var->grad_layout.stored(p.value().shape()),
                64 * 64 * 9);  // on 2^2 positions all taps are live
    }
  }
  EXPECT_EQ(all, 176005);
  const Registry registry = make_registry();
  Context context(registry, {});
  Pass pass{context};
  const Tensor image = allocate_tensor({}, {3, 2, 16, 16}, DType::kF32);
  from_host(std::vector<double>(static_cast<std::size_t>(image.count()), 0.5), image, context.stream);
  EXPECT_EQ(network.forward(pass, constant(image))->value.shape(), (Shape{3, 5}));
}

TEST(ResNet18, LearnsTwoImages) {
  const Registry registry = make_registry();
  Context context(registry, {});
  Build build;
  ResNet18 network(build, {.extent = 32, .classes = 2});
  const Tensor images = allocate_tensor({}, {4, 3, 32, 32}, DType::kF32),
               labels = allocate_tensor({}, {4}, DType::kI32);
  std::vector<double> pixels(static_cast<std::size_t>(images.count()));
  const Rng rng(1, Purpose::kTest);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = rng.normal(i);
  from_host(pixels, images, context.stream);
  from_host(std::vector<double>{0, 1, 1, 0}, labels, context.stream);
  const auto adam = make_adam(network.parameters(), {});
  double first = 0, last = 0;
  for (int step = 0; step < 6; ++step) {
    Tape tape(context);
    Pass pass{context, &tape, true};
    const Var loss = softmax_cross_entropy(pass, network.forward(pass, constant(images)), labels);
    tape.backward(loss);
    adam->step(context, 1e-3);
    last = to_host(loss->value, context.stream)[0];
    if (step == 0) first = last;
  }
  EXPECT_LT(last, 0.2 * first);
}

}  // namespace
}  // namespace umbra
