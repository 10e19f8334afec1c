// The adjoints of reductions over axes: vectors run as in the forward pass. For max and min the same tasks
// first count the ties of every output.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/reduce/reduce_axes_cpu_1_simd_backward.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/reduce_axes_cut.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// ties[j] = the number of terms [begin, end) of the output task.output + j that equal y[task.output + j].
void count_ties_of_task(const AxesIndex& index, const ReduceTask& task, const float* x, const float* y,
                        double* ties) {
  x += index.first(task.output);
  y += task.output;
  for (std::int64_t j = 0; j < task.width; ++j) ties[j] = 0;
  if (index.inner() == 1) {
    for_runs(index, task, [&](std::int64_t step, std::int64_t count) HWY_ATTR {
      for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
        const auto ties_here = hn::Eq(hn::LoadU(d, x + step + i), hn::Set(d, y[0]));
        ties[0] += static_cast<double>(hn::CountTrue(d, ties_here));
      });
    });
    return;
  }
  for (std::int64_t t = task.begin; t < task.end; ++t) {
    const float* row = x + index.step(t);
    for_lanes<double>(task.width, [&](auto dd, std::int64_t j) HWY_ATTR {
      const auto tie = hn::Eq(load_wide(dd, row + j), load_wide(dd, y + j));
      const auto one_more = hn::IfThenElseZero(tie, hn::Set(dd, 1.0));
      hn::StoreU(hn::Add(hn::LoadU(dd, ties + j), one_more), dd, ties + j);
    });
  }
}

/// dx of the terms [begin, end) of the output task.output + j: share[j] where x is y or null, else rest[j].
void spread_task(const AxesIndex& index, const ReduceTask& task, const float* x, const float* y,
                 const float* share, const float* rest, float* dx) {
  const std::int64_t first = index.first(task.output);
  const auto write = [&](std::int64_t at, std::int64_t count, const auto& of) HWY_ATTR {
    for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
      auto value = of(d, share, i);
      if (x != nullptr) {
        const auto tie = hn::Eq(hn::LoadU(d, x + at + i), of(d, y + task.output, i));
        value = hn::IfThenElse(tie, value, of(d, rest, i));
      }
      hn::StoreU(value, d, dx + at + i);
    });
  };
  if (index.inner() == 1) {
    for_runs(index, task, [&](std::int64_t step, std::int64_t count) HWY_ATTR {
      write(first + step, count,
            [](auto d, const float* p, std::int64_t) HWY_ATTR { return hn::Set(d, p[0]); });
    });
    return;
  }
  for (std::int64_t t = task.begin; t < task.end; ++t) {
    write(first + index.step(t), task.width,
          [](auto d, const float* p, std::int64_t j) HWY_ATTR { return hn::LoadU(d, p + j); });
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(count_ties_of_task);
HWY_EXPORT(spread_task);

/// Writes the number of terms that equal their output to the first row of `partial`, [splits, outputs].
void count_ties(const AxesIndex& index, const ReduceCut& cut, const float* x, const float* y,
                double* partial) {
  cut.for_tasks([&](const ReduceTask& task) {
    HWY_DYNAMIC_DISPATCH(count_ties_of_task)
    (index, task, x, y, partial + task.split * cut.outputs + task.output);
  });
  parallel_chunks(cut.outputs, rows_per_chunk(cut.splits), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      for (std::int64_t s = 1; s < cut.splits; ++s) partial[o] += partial[s * cut.outputs + o];
    }
  });
}

void backward(const ReduceAxesBackward& op, Buffers b, void* workspace, Stream&) {
  const bool picked = picks(op.how);
  const float *dy = b.in(0), *x = picked ? b.in(1) : nullptr, *y = picked ? b.in(2) : nullptr;
  auto* partial = static_cast<double*>(workspace);
  const AxesIndex index(op.geometry);
  const ReduceCut cut(op.geometry);
  if (picked && cut.splits > 1) count_ties(index, cut, x, y, partial);
  cut.for_tasks([&](const ReduceTask& task) {
    double ties[ReduceCut::kStrip];
    float share[ReduceCut::kStrip], rest[ReduceCut::kStrip];
    if (picked && cut.splits == 1) HWY_DYNAMIC_DISPATCH(count_ties_of_task)(index, task, x, y, ties);
    for (std::int64_t j = 0; j < task.width; ++j) {
      double divisor = op.divisor();
      if (picked) divisor = cut.splits == 1 ? ties[j] : partial[task.output + j];
      share[j] = static_cast<float>(static_cast<double>(dy[task.output + j]) / divisor);
      rest[j] = static_cast<float>(0 / divisor);  // 0, but NaN where nothing ties because y is NaN
    }
    HWY_DYNAMIC_DISPATCH(spread_task)(index, task, x, y, share, rest, b.out(3));
  });
}

std::size_t workspace_bytes(const ReduceAxesBackward& op) {
  return picks(op.how) ? ReduceCut(op.geometry).partial_bytes() : 0;
}

}  // namespace

Kernel reduce_axes_backward_cpu_1_simd() {
  return make_kernel<ReduceAxesBackward, backward, nullptr, workspace_bytes>();
}

}  // namespace umbra
#endif
