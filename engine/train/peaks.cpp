#include "engine/train/peaks.h"

#include <algorithm>

#include "engine/ops/peak/op.h"

namespace umbra {
namespace {

double median_seconds(Context& context, const Op& op, std::int64_t count) {
  const Tensor from = allocate_tensor(context.device(), {count}, DType::kF32);
  const Tensor to = allocate_tensor(context.device(), {count}, DType::kF32);
  call(context, PeakFma(DType::kF32, count, 1), {to, from});  // first use of the memory; any numbers will do
  std::vector<double> seconds;
  const Event start(context.device()), end(context.device());
  for (int i = 0; i < 10; ++i) {
    start.record(context.stream);
    call(context, op, {from, to});
    end.record(context.stream);
    context.stream.synchronize();
    if (i > 0) seconds.push_back(seconds_between(start, end));
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

}  // namespace

Peaks measure_peaks(Context& context) {
  const bool cpu = context.device().kind == Device::Kind::kCpu;
  // Long enough for a clock, short enough for a user: some ten milliseconds of a CPU, one of a GPU.
  const PeakFma fma(DType::kF32, cpu ? 1 << 16 : 1 << 20, 2000);
  const PeakCopy copy(DType::kF32, std::int64_t{1} << 26);
  Peaks peaks;
  peaks.flops = fma.flops() / median_seconds(context, fma, fma.count);
  peaks.bytes = copy.bytes() / median_seconds(context, copy, copy.count);
  return peaks;
}

}  // namespace umbra
