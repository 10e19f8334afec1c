// The scaling of rows, some rows at a time; the compiler vectorises the loop over their numbers.
#include "engine/ops/kernel.h"
#include "engine/ops/loss/scale_rows.h"
#include "engine/ops/shared/chunks.h"

namespace umbra {
namespace {

void run(const ScaleRows& op, Buffers buffers, void*, Stream&) {
  float* x = buffers.out(0);            // [N, K]
  const float* factor = buffers.in(1);  // [N]
  parallel_chunks(op.rows, rows_per_chunk(op.columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      float* const row = x + n * op.columns;
      const float f = factor[n];
      for (std::int64_t k = 0; k < op.columns; ++k) row[k] *= f;
    }
  });
}

}  // namespace

Kernel scale_rows_cpu_1_rows() {
  return make_kernel<ScaleRows, run>();
}

}  // namespace umbra
