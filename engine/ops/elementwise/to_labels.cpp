// to_labels: its definition, and cpu_1_simd.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/to_labels.cpp"
#include "engine/ops/elementwise/to_labels.h"

#include "engine/cpu/simd.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void to_labels_range(const float* x, std::int32_t* y, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> labels;
    hn::StoreU(hn::ConvertTo(labels, hn::LoadU(d, x + i)), labels, y + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(to_labels_range);

void run(const ToLabels& op, Buffers b, void*, Stream&) {
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(to_labels_range)(b.in(0) + begin, b.out<std::int32_t>(1) + begin, end - begin);
  });
}

}  // namespace

Ladder to_labels_definition() {
  return define_op<ToLabels, to_labels_reference<float>, to_labels_reference<double>>(
      problems_of_counts<ToLabels>);
}
Kernel to_labels_cpu_1_simd() {
  return make_kernel<ToLabels, run>();
}

}  // namespace umbra
#endif
