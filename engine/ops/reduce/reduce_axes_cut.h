// How cpu_1_simd divides a reduction over axes: into strips of neighbouring outputs whose terms are also
// neighbours (single outputs where the terms of one output are), and, where there are few strips, their
// terms into runs of about one grain of work. The division depends on the problem alone.
#pragma once

#include <algorithm>

#include "engine/ops/reduce/reduce_axes.h"
#include "engine/ops/shared/chunks.h"

namespace umbra {

/// A strip of outputs [output, output + width) and a run of their terms [begin, end).
struct ReduceTask {
  std::int64_t output, width, begin, end, split;
};

/// Calls body(offset from the first term, number of terms) for the runs of adjacent terms of a task; only
/// for tasks whose outputs have such runs.
template <class Body>
void for_runs(const AxesIndex& index, const ReduceTask& task, const Body& body) {
  for (std::int64_t t = task.begin, next; t < task.end; t = next) {
    next = std::min(task.end, (t / index.run() + 1) * index.run());
    body(index.step(t), next - t);
  }
}

struct ReduceCut {
  static constexpr std::int64_t kStrip = 64;        // outputs at most
  static constexpr std::int64_t kManyStrips = 256;  // from here on terms are not divided

  explicit ReduceCut(const AxesGeometry& g) : outputs(g.outputs()), terms(g.terms()), inner(g.extents[6]) {
    if (outputs == 0) return;
    const std::int64_t width = std::min(kStrip, inner);
    strips_per_row = (inner + kStrip - 1) / kStrip;
    strips = outputs / inner * strips_per_row;
    each = std::max<std::int64_t>(1, strips < kManyStrips ? std::min(terms, kElementGrain / width) : terms);
    splits = std::max<std::int64_t>(1, (terms + each - 1) / each);
    tasks_per_chunk = rows_per_chunk(each * width);
  }
  ReduceTask task(std::int64_t number) const {
    const std::int64_t strip = number / splits, split = number % splits;
    const std::int64_t j = strip % strips_per_row * kStrip;
    return {strip / strips_per_row * inner + j, std::min(kStrip, inner - j), split * each,
            std::min(terms, (split + 1) * each), split};
  }
  /// Calls body(task) for all tasks, in parallel.
  template <class Body>
  void for_tasks(const Body& body) const {
    parallel_chunks(strips * splits, tasks_per_chunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t number = begin; number < end; ++number) body(task(number));
    });
  }
  /// Bytes of one double per output and split, [splits, outputs]; 0 where one task computes a whole output.
  std::size_t partial_bytes() const {
    return splits == 1 ? 0 : static_cast<std::size_t>(splits * outputs) * sizeof(double);
  }

  std::int64_t outputs, terms, inner;
  std::int64_t strips_per_row = 0, strips = 0;
  std::int64_t each = 1, splits = 1;  // terms of a split
  std::int64_t tasks_per_chunk = 1;
};

}  // namespace umbra
