#include "tools/common/backend.h"

#include "engine/dist/launch.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/matmul/op.h"
#include "engine/ops/shared/problems.h"
#include "engine/registry/register_peers.h"
#include "engine/runtime/backend.h"
#include "tools/common/renamed_rungs.h"

namespace umbra {
namespace {

// A small problem of every op that rounds its operands.
Problems rounding_problems(Precision precision, bool learns) {
  const ConvGeometry g{2, 8, 8, {4, 4, 4}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}};
  const DType f32 = DType::kF32;
  Problems problems;
  problems.push_back(std::make_unique<LinearFprop>(f32, 2, 8, 8, true, precision));
  if (!learns) {
    const DType weights = PrecisionPolicy(precision).conv_weights(g.in_channels, f32, learns);
    problems.push_back(std::make_unique<ConvInference>(f32, g, 1e-5, true, true, precision, weights));
    return problems;
  }
  problems.push_back(std::make_unique<ConvFprop>(f32, g, precision));
  problems.push_back(std::make_unique<ConvDgrad>(f32, g, precision));
  problems.push_back(std::make_unique<ConvWgrad>(f32, g, precision));
  problems.push_back(std::make_unique<LinearDgrad>(f32, 2, 8, 8, true, precision));
  problems.push_back(std::make_unique<LinearWgrad>(f32, 2, 8, 8, true, precision));
  return problems;
}

}  // namespace

Registry make_registry_with_peers(const std::string& preferred) {
  Registry registry = make_registry();
  register_peers(registry);
  registry.prefer(with_names_of_today(preferred));
  return registry;
}

Device choose_device(const std::string& wanted, const Registry& registry) {
  const Device device = parse_device(wanted, launched().on_machine);
  if (device.kind == Device::Kind::kCpu) return device;
  for (const Ladder& ladder : registry.ladders()) {
    for (const Kernel& kernel : ladder.kernels) {
      if (kernel.device == device.kind) return device;
    }
  }
  require(wanted == "auto", "device=", wanted, ": this build of umbra has no CUDA kernels");
  return {};
}

void check_precision(Precision precision, Device device, bool learns, const Registry& registry) {
  if (precision == Precision::kF32) return;
  for (const auto& op : rounding_problems(precision, learns)) {
    require(registry.choose_if_any(*op, device.kind) != nullptr, "precision=", name_of(precision),
            ": no kernel of this build for ", name_of(device.kind), " computes ", op->name(),
            " with it; use precision=fp32");
  }
}

}  // namespace umbra
