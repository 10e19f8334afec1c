#include "engine/nn/init.h"

#include <cmath>

namespace umbra {
namespace {

Tensor from_doubles(const Build& build, const Shape& shape, const std::vector<double>& values,
                    Layout layout = {}) {
  Tensor tensor = allocate_tensor(build.device, shape, build.dtype, std::move(layout));
  Stream stream(build.device);
  from_host(values, tensor, stream);
  return tensor;
}

}  // namespace

double default_bound(std::int64_t fan_in) {
  return 1.0 / std::sqrt(static_cast<double>(fan_in));
}

Tensor unset_tensor(Build& build, Shape shape, DType dtype, Layout layout) {
  ++build.next_stream;
  return allocate_tensor(build.device, shape, dtype, std::move(layout));
}

Tensor uniform_tensor(Build& build, Shape shape, double bound, Layout layout) {
  if (!build.learns) return unset_tensor(build, shape, build.dtype, std::move(layout));
  const Rng rng(build.seed, Purpose::kInitialisation, build.next_stream++);
  std::vector<double> values(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < values.size(); i += 4) {
    const Philox4 words =
        rng.words(i / 4);  // four elements per block: 80 million parameters are drawn at start-up
    for (std::size_t k = 0; k < 4 && i + k < values.size(); ++k) {
      values[i + k] = (2.0 * static_cast<double>(uniform_from(words[k])) - 1.0) * bound;
    }
  }
  return from_doubles(build, shape, values, std::move(layout));
}

Tensor constant_tensor(const Build& build, Shape shape, double value) {
  return from_doubles(build, shape, std::vector<double>(static_cast<std::size_t>(shape.count()), value));
}

}  // namespace umbra
