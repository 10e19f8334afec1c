// What this machine can do, measured: fused multiply-adds from registers, and copying memory that no cache
// holds. One line of JSON. Every percentage of a peak in this repository is of these figures.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/machine.cpp"
#include <hwy/cache_control.h>

#include "engine/cpu/simd.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

// 2 * 16 * lanes * rounds operations on 16 independent sums: enough to hide the latency of any core so far.
void multiply_add(long rounds, float* sink, double* flops) {
  const hn::ScalableTag<float> d;
  hn::Vec<hn::ScalableTag<float>> sum[16];
  const auto a = hn::Set(d, 0.999999f), b = hn::Set(d, 1e-6f);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) sum[i] = hn::Set(d, static_cast<float>(i));
  for (long r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) sum[i] = hn::MulAdd(sum[i], a, b);
  }
  auto total = sum[0];
#pragma GCC unroll 16
  for (int i = 1; i < 16; ++i) total = hn::Add(total, sum[i]);
  *sink = sum_lanes(d, total);
  *flops = 2.0 * 16 * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

void copy_streaming(const float* from, float* to, long count) {
  const hn::ScalableTag<float> d;
  const long lanes = static_cast<long>(hn::Lanes(d));
  for (long i = 0; i + lanes <= count; i += lanes) hn::Stream(hn::Load(d, from + i), d, to + i);
}

const char* target() {
  return hwy::TargetName(HWY_TARGET);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "engine/runtime/storage.h"

namespace umbra {
namespace {

HWY_EXPORT(multiply_add);
HWY_EXPORT(copy_streaming);
HWY_EXPORT(target);

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double peak_gflops(int threads) {
  std::vector<double> rates;
  for (int repeat = 0; repeat < 9; ++repeat) {
    double flops = 0;
    const double start = seconds();
#pragma omp parallel num_threads(threads) reduction(+ : flops)
    {
      float sink = 0;
      HWY_DYNAMIC_DISPATCH(multiply_add)(4000000, &sink, &flops);
      volatile float keep = sink;
      static_cast<void>(keep);
    }
    rates.push_back(flops / (seconds() - start) * 1e-9);
  }
  return median(rates);
}

// Bytes read plus bytes written.
double copy_gbs(int threads) {
  const long count = long{1} << 26;  // 256 MiB each way
  const auto from = allocate_storage({}, static_cast<std::size_t>(count) * 4),
             to = allocate_storage({}, from->bytes());
  std::memset(from->data(), 1, from->bytes());
  std::memset(to->data(), 2, to->bytes());
  std::vector<double> rates;
  for (int repeat = 0; repeat < 9; ++repeat) {
    const double start = seconds();
#pragma omp parallel num_threads(threads)
    {
      const long share = count / omp_get_num_threads(), begin = share * omp_get_thread_num();
      HWY_DYNAMIC_DISPATCH(copy_streaming)
      (static_cast<const float*>(from->data()) + begin, static_cast<float*>(to->data()) + begin, share);
    }
    rates.push_back(2.0 * static_cast<double>(from->bytes()) / (seconds() - start) * 1e-9);
  }
  return median(rates);
}

const char* instructions() {
  return HWY_DYNAMIC_DISPATCH(target)();
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

}  // namespace
}  // namespace umbra

int main() {
  const int threads = omp_get_max_threads();
  std::printf(
      "{\"cpu\": \"%s\", \"threads\": %d, \"instructions\": \"%s\", \"peak_gflops_1\": %.1f, "
      "\"peak_gflops\": %.1f, "
      "\"copy_gbs_1\": %.1f, \"copy_gbs\": %.1f}\n",
      umbra::cpu_name().c_str(), threads, umbra::instructions(), umbra::peak_gflops(1),
      umbra::peak_gflops(threads), umbra::copy_gbs(1), umbra::copy_gbs(threads));
}
#endif
