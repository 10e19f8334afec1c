// Dropout (Srivastava et al. 2014), inverted:  y[i] = x[i] / (1 - p)  where the mask keeps element i, else 0.
// The mask is a pure function of (seed, step, layer, i): element i is kept when uniform_from(word i % 4 of
// Rng(seed, kDropout, 256 step + layer).words(i / 4)) >= p. Forward and backward are the same op; nothing
// needs to be stored. The step is read from memory, so that a CUDA graph draws a new mask every time it is
// launched.
#pragma once

#include "engine/base/philox.h"
#include "engine/ops/elementwise/elements.h"

namespace umbra {

class Dropout final : public ElementwiseOp {
 public:
  Dropout(DType type, std::int64_t count_, double p_, std::uint64_t seed_, std::uint64_t layer_)
      : ElementwiseOp(type, count_), p(p_), seed(seed_), layer(layer_) {}
  static constexpr std::string_view kName = "dropout";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", count, " p", p, " seed", seed, " layer", layer); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn},
            {"step", DType::kI64, 1, Access::kIn, Fill::kIndex, kSteps},
            {"y", dtype, count, Access::kOut}};
  }
  bool exact_on_integers() const override { return false; }

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

template <class T>
void dropout_reference(const Dropout& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);
  T* y = buffers.out<T>(2);
  const Rng rng = dropout_rng(op.seed, *buffers.in<std::int64_t>(1), op.layer);
  for (std::int64_t i = 0; i < op.count; ++i) {
    const Philox4 words = rng.words(static_cast<std::uint64_t>(i / 4));
    const bool kept = uniform_from(words[static_cast<std::size_t>(i % 4)]) >= op.p;
    y[i] = kept ? x[i] / T(1 - op.p) : T(0);
  }
}

}  // namespace umbra
