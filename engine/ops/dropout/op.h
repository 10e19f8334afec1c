// Dropout (Srivastava et al. 2014), inverted:  y[i] = x[i] / (1 - p)  where the mask keeps element i, else 0.
// The mask is a pure function of (seed, step, layer, i): element i is kept when uniform_from(word i % 4 of
// Rng(seed, kDropout, 256 step + layer).words(i / 4)) >= p. Forward and backward are the same op; nothing
// needs to be stored. The step is read from memory, so that a CUDA graph draws other masks every time it is
// launched.
#pragma once

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/ops/op.h"

namespace umbra {

class Dropout final : public Op {
 public:
  Dropout(DType type, std::int64_t count_, double p_, std::uint64_t seed_, std::uint64_t layer_)
      : Op(type), count(count_), p(p_), seed(seed_), layer(layer_) {}
  std::string_view name() const override { return "dropout"; }
  std::string text() const override { return concat("n", count, " p", p, " seed", seed, " layer", layer); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn},
            {"step", DType::kI64, 1, Access::kIn, Fill::kIndex, kSteps},
            {"y", dtype, count, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(count); }

  std::int64_t count;
  double p;
  std::uint64_t seed;
  std::uint64_t layer;

 private:
  static constexpr std::int64_t kSteps = std::int64_t{1} << 40;
};

/// The random numbers of a layer's mask in a step.
constexpr Rng dropout_rng(std::uint64_t seed, std::int64_t step, std::uint64_t layer) {
  return Rng(seed, Purpose::kDropout, static_cast<std::uint64_t>(step) * 256 + layer);
}

}  // namespace umbra
