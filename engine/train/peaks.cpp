#include "engine/train/peaks.h"

#include <algorithm>
#include <fstream>

#include "engine/ops/elementwise/peak.h"
#include "engine/ops/elementwise/scale.h"

namespace umbra {
namespace {

double seconds_of(Context& context, const Op& op, const Tensor& from, const Tensor& to) {
  const Event start(context.device()), end(context.device());
  start.record(context.stream);
  call(context, op, {from, to});
  end.record(context.stream);
  context.stream.synchronize();
  return seconds_between(start, end);
}

// Doubles the size of a problem until it takes `enough` seconds or is the largest, and returns its rate: the
// median of nine runs.
template <class MakeOp, class Work>
double median_rate(Context& context, std::int64_t count, double enough, std::int64_t first, std::int64_t last,
                   const MakeOp& make_op, const Work& work) {
  const Tensor from = allocate_tensor(context.device(), {count}, DType::kF32);
  const Tensor to = allocate_tensor(context.device(), {count}, DType::kF32);
  call(context, SetValue(DType::kF32, count, 1.0), {from});  // first use of the memory
  call(context, SetValue(DType::kF32, count, 1.0), {to});
  const auto run = [&](std::int64_t size) {
    const auto op = make_op(size);
    const std::int64_t used = op.count;
    return seconds_of(context, op, from.elements(0, used), to.elements(0, used));
  };
  std::int64_t size = first;
  while (size < last && run(size) < enough) size *= 2;
  std::vector<double> seconds(9);
  for (double& s : seconds) s = run(size);
  std::sort(seconds.begin(), seconds.end());
  return work(make_op(size)) / seconds[seconds.size() / 2];
}

}  // namespace

Peaks measure_peaks(Context& context) {
  // Enough threads for any GPU, vectors for any CPU, and a copy larger than any cache.
  const std::int64_t count = context.device().kind == Device::Kind::kCpu ? 1 << 16 : 1 << 20;
  constexpr std::int64_t kMostRounds = 1 << 14, kFirstCopy = 1 << 22, kLastCopy = 1 << 26;
  Peaks peaks;
  peaks.flops = median_rate(
      context, count, 5e-3, 1, kMostRounds,
      [&](std::int64_t rounds) { return PeakFma(DType::kF32, count, rounds); },
      [](const PeakFma& op) { return op.flops(); });
  peaks.bytes = median_rate(
      context, kLastCopy, 20e-3, kFirstCopy, kLastCopy,
      [](std::int64_t copied) { return PeakCopy(DType::kF32, copied); },
      [](const PeakCopy& op) { return op.bytes(); });
  return peaks;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

}  // namespace umbra
