// A program outside the tree: one prediction of an untrained network, from an installed umbra.
#include <cstdio>

#include "engine/registry/registry.h"
#include "engine/runtime/backend.h"
#include "models/um_resnet.h"

int main() {
  using namespace umbra;
  const Registry registry = make_registry();
  Context context(registry, parse_device("cpu"));
  Build build{.device = context.device(), .seed = 1};
  UmResNet net(build, {.channels = 4});
  const Tensor boxes = allocate_tensor(context.device(), {2, 1, 25, 25, 25}, DType::kF32);
  from_host(std::vector<double>(2 * 25 * 25 * 25, 1.0), boxes, context.stream);
  Pass pass{context, nullptr, /*training=*/false};
  std::printf("%zu mass bins of two boxes\n",
              to_host(net.forward(pass, constant(boxes))->value, context.stream).size());
}
