// The OP and CPU lines of ladder.def.
#include "engine/base/error.h"
#include "engine/ops/ladder.h"

namespace umbra {

Kernel listed(Kernel made, std::string_view op, std::string_view rung, Device::Kind device) {
  require(made.op == op, "ladder.def lists the rung ", rung, " for ", op, ", but it is one for ", made.op);
  made.rung = rung;
  made.device = device;
  return made;
}

std::vector<Ladder> cpu_ladders() {
  std::vector<Ladder> ladders;
#define OP(op) ladders.push_back(op##_definition());
#define CPU(op, rung) ladders.back().kernels.push_back(listed(op##_##rung(), #op, #rung, Device::Kind::kCpu));
#define CUDA(op, rung)
#include "engine/ops/ladder.def"
  return ladders;
}

}  // namespace umbra
