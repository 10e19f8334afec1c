// ResNet18 against PyTorch: the logits of torchvision's network on images of 224 pixels; with the stem of small images
// also the gradients.
#include <gtest/gtest.h>

#include "engine/grad/functions.h"
#include "engine/runtime/backend.h"
#include "models/resnet18.h"
#include "tests/fixtures/comparison_golden_check.h"

namespace umbra::golden {
namespace {

constexpr std::int64_t kBatch = 2, kClasses = 10;

void expect_resnet18(const std::string& name, ResNet18Options options, bool gradients) {
  const SafeTensors file = read("resnet18.safetensors");
  const auto compare = [&](const std::string& key, const std::vector<double>& got) {
    const std::string whole = name + "/" + key;
    expect_near(got, numbers(file, whole), numbers(file, "f64/" + whole), whole);
  };
  const Registry registry = make_registry();
  Context context(registry, {});
  Build build;
  options.classes = kClasses;
  ResNet18 network(build, options);
  set_parameters(network);
  const Tensor image =
      allocate_tensor({}, {kBatch, options.in_channels, options.extent, options.extent}, DType::kF32);
  fill(image, [](std::size_t i) { return 2 * u(1, i) - 1; });
  const Tensor target = allocate_tensor({}, {kBatch, kClasses}, DType::kF32);
  fill(target, [](std::size_t i) { return 0.5 + u(3, i); });
  Tape tape(context);
  Pass pass{context, gradients ? &tape : nullptr, true};
  const Var output = network.forward(pass, constant(image));
  compare("output", to_host(output->value, context.stream));
  if (gradients) {
    tape.backward(mean_squared_error(pass, output, target));
    for (const Parameter& p : network.parameters())
      compare("grad/" + p.name, comparison_samples(to_host(p.grad(), context.stream)));
  }
  Pass inference{context};
  compare("eval_output", to_host(network.forward(inference, constant(image))->value, context.stream));
}

TEST(ResNet18Golden, TorchvisionsNetworkHasTheLogitsOfPyTorch) {
  expect_resnet18("torchvision", {}, false);
}

TEST(ResNet18Golden, TheStemOfSmallImagesHasTheGradientsOfPyTorch) {
  expect_resnet18("small", {.extent = 32, .in_channels = 2, .stem = "3x3", .channels = 4}, true);
}

}  // namespace
}  // namespace umbra::golden
