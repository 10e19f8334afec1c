// The two memory orders of activations: sample first [N, C, S] (files, the loader's boxes, the rows of the
// head, S = 1) and batch last [S, C, N] (networks on volumes and images).
//
//   y[s, c, n] = x[n, c, s]  to batch last,  and the reverse; each is the other's inverse and adjoint.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

enum class TransposeTo { kBatchLast, kSampleFirst };

class Transpose final : public Op {
 public:
  Transpose(DType type, TransposeTo to_, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_)
      : Op(type), to(to_), batch(batch_), channels(channels_), volume(volume_) {}
  static constexpr std::string_view kName = "transpose";
  std::string_view name() const override { return kName; }
  std::string text() const override {
    return concat("n", batch, " c", channels, " s", volume,
                  to == TransposeTo::kBatchLast ? " to_batch_last" : " to_sample_first");
  }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, batch * channels * volume, Access::kIn},
            {"y", dtype, batch * channels * volume, Access::kOut}};
  }
  double flops() const override { return 0; }  // bytes() determines the time
  bool exact_on_integers() const override { return true; }

  TransposeTo to;
  std::int64_t batch;
  std::int64_t channels;
  std::int64_t volume;
};

}  // namespace umbra
