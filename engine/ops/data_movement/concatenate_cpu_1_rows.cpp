// One part after the other, its chunks in parallel, each row by row.
#include <algorithm>

#include "engine/ops/data_movement/concatenate.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/chunks.h"

namespace umbra {
namespace {

void copy_rows(const RowCopy& c) {
  parallel_chunks(c.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t next; begin < end; begin = next) {
      const std::int64_t row = begin / c.row, column = begin % c.row;
      next = std::min(end, (row + 1) * c.row);
      std::copy_n(c.from + row * c.from_stride + column, next - begin, c.to + row * c.to_stride + column);
    }
  });
}

template <class O>
void run(const O& op, Buffers b, void*, Stream&) {
  for_copies(op, b, copy_rows);
}

}  // namespace

Kernel concatenate_cpu_1_rows() {
  return make_kernel<Concatenate, run<Concatenate>>();
}
Kernel split_cpu_1_rows() {
  return make_kernel<Split, run<Split>>();
}

}  // namespace umbra
