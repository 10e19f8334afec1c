// Reductions over axes, in double: vectors run along the terms of an output where these are adjacent in
// memory, otherwise across a strip of outputs. Runs of terms that are reduced in parallel are combined in
// order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/reduce/reduce_axes_cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/reduce_axes_cut.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// folded(), lane by lane.
template <AxisReduction kHow, class DD>
HWY_INLINE hn::Vec<DD> folded_lanes(DD, hn::Vec<DD> value, hn::Vec<DD> term) {
  if constexpr (!picks(kHow)) {
    return hn::Add(value, term);
  } else {
    const auto beats = kHow == AxisReduction::kMax ? hn::Gt(term, value) : hn::Lt(term, value);
    return hn::IfThenElse(hn::Or(beats, hn::IsNaN(term)), term, value);
  }
}

/// Folds `count` adjacent numbers at x.
template <AxisReduction kHow>
double fold_run(const float* x, std::int64_t count) {
  const hn::ScalableTag<double> dd;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
  auto even = hn::Set(dd, fold_start(kHow)), odd = even;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    even = folded_lanes<kHow>(dd, even, load_wide(dd, x + i));
    odd = folded_lanes<kHow>(dd, odd, load_wide(dd, x + i + lanes));
  }
  HWY_ALIGN double all[HWY_MAX_BYTES / sizeof(double)];
  hn::Store(folded_lanes<kHow>(dd, even, odd), dd, all);
  double value = all[0];
  for (std::int64_t l = 1; l < lanes; ++l) value = folded(kHow, value, all[l]);
  for (; i < count; ++i) value = folded(kHow, value, static_cast<double>(x[i]));
  return value;
}

/// values[j] = the fold of the terms [begin, end) of the output task.output + j.
template <AxisReduction kHow>
void fold_task(const AxesIndex& index, const ReduceTask& task, const float* x, double* values) {
  x += index.first(task.output);
  for (std::int64_t j = 0; j < task.width; ++j) values[j] = fold_start(kHow);
  if (index.inner() == 1) {
    for_runs(index, task, [&](std::int64_t step, std::int64_t count) HWY_ATTR {
      values[0] = folded(kHow, values[0], fold_run<kHow>(x + step, count));
    });
    return;
  }
  for (std::int64_t t = task.begin; t < task.end; ++t) {
    const float* row = x + index.step(t);
    for_lanes<double>(task.width, [&](auto dd, std::int64_t j) HWY_ATTR {
      hn::StoreU(folded_lanes<kHow>(dd, hn::LoadU(dd, values + j), load_wide(dd, row + j)), dd, values + j);
    });
  }
}

void reduce_axes_task(AxisReduction how, const AxesIndex& index, const ReduceTask& task, const float* x,
                      double* values) {
  if (how == AxisReduction::kMax) return fold_task<AxisReduction::kMax>(index, task, x, values);
  if (how == AxisReduction::kMin) return fold_task<AxisReduction::kMin>(index, task, x, values);
  fold_task<AxisReduction::kSum>(index, task, x, values);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(reduce_axes_task);

void forward(const ReduceAxesForward& op, Buffers b, void* workspace, Stream&) {
  const float* x = b.in(0);
  float* y = b.out(1);
  auto* partial = static_cast<double*>(workspace);  // [splits, outputs]
  const AxesIndex index(op.geometry);
  const ReduceCut cut(op.geometry);
  cut.for_tasks([&](const ReduceTask& task) {
    double values[ReduceCut::kStrip];
    HWY_DYNAMIC_DISPATCH(reduce_axes_task)(op.how, index, task, x, values);
    for (std::int64_t j = 0; j < task.width; ++j) {
      if (cut.splits > 1) partial[task.split * cut.outputs + task.output + j] = values[j];
      if (cut.splits == 1) y[task.output + j] = static_cast<float>(values[j] / op.divisor());
    }
  });
  if (cut.splits == 1) return;
  parallel_chunks(cut.outputs, rows_per_chunk(cut.splits), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      double value = partial[o];
      for (std::int64_t s = 1; s < cut.splits; ++s)
        value = folded(op.how, value, partial[s * cut.outputs + o]);
      y[o] = static_cast<float>(value / op.divisor());
    }
  });
}

std::size_t workspace_bytes(const ReduceAxesForward& op) {
  return ReduceCut(op.geometry).partial_bytes();
}

}  // namespace

Kernel reduce_axes_forward_cpu_1_simd() {
  return make_kernel<ReduceAxesForward, forward, nullptr, workspace_bytes>();
}

}  // namespace umbra
#endif
