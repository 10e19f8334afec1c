#include "tests/gauntlet/rungs.h"

#include <charconv>

#include "engine/base/error.h"

namespace umbra::gauntlet {

bool is_reference(const Kernel& kernel) {
  return kernel.rung == "reference";
}

const Kernel* find_reference(const Ladder& ladder) {
  for (const Kernel& kernel : ladder.kernels) {
    if (is_reference(kernel) && kernel.dtype == DType::kF64 && kernel.device == Device::Kind::kCpu)
      return &kernel;
  }
  return nullptr;
}

int rung_number(const Kernel& kernel) {
  const std::string prefix = concat(name_of(kernel.device), "_");
  int number = 0;
  if (kernel.rung.starts_with(prefix)) {
    std::from_chars(kernel.rung.data() + prefix.size(), kernel.rung.data() + kernel.rung.size(), number);
  }
  return number;
}

std::string test_name(const Kernel& kernel) {
  return concat(kernel.op, "_", kernel.rung, "_", name_of(kernel.device), "_", umbra::name_of(kernel.dtype));
}

}  // namespace umbra::gauntlet
