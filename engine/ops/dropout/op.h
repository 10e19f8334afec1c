// Dropout (Srivastava et al. 2014), inverted:  y[i] = x[i] / (1 - p)  where the mask keeps element i, else 0.
// The mask is a pure function of (seed, stream, i): element i is kept when uniform_from(word i % 4 of
// Rng(seed, kDropout, stream) .words(i / 4)) >= p. Forward and backward are the same op; nothing needs to be
// stored.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class Dropout final : public Op {
 public:
  Dropout(DType type, std::int64_t count_, double p_, std::uint64_t seed_, std::uint64_t stream_)
      : Op(type), count(count_), p(p_), seed(seed_), stream(stream_) {}
  std::string_view name() const override { return "dropout"; }
  std::string text() const override { return concat("n", count, " p", p, " seed", seed, " stream", stream); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(count); }

  std::int64_t count;
  double p;
  std::uint64_t seed;
  std::uint64_t stream;
};

}  // namespace umbra
