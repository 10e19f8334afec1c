// Measures the peaks of this machine: multiply-adds from registers, and copying memory beyond the caches.
// Prints one line of JSON. Every percentage of a peak in this repository refers to these figures.
//   build/bench/machine              the CPU, on one thread and on OMP_NUM_THREADS
//   build/bench/machine cuda         the GPU, with the versions of driver and runtime, and how many clusters of 1 to 8
//                                    blocks run at a time
#include <hwy/highway.h>
#include <omp.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/gpu_facts.h"
#include "engine/runtime/backend.h"
#include "engine/train/peaks.h"

namespace umbra {
namespace {

Peaks peaks_on(Device device, int threads) {
  omp_set_num_threads(threads);
  const Registry registry = make_registry();
  Context context(registry, device);
  return measure_peaks(context);
}

void print_cpu() {
  const int threads = omp_get_max_threads();
  const Peaks one = peaks_on({}, 1), all = peaks_on({}, threads);
  std::printf(
      "{\"cpu\": \"%s\", \"threads\": %d, \"instructions\": \"%s\", \"peak_gflops_1\": %.1f, "
      "\"peak_gflops\": %.1f, "
      "\"copy_gbs_1\": %.1f, \"copy_gbs\": %.1f}\n",
      cpu_name().c_str(), threads, hwy::TargetName(hwy::SupportedTargets() & -hwy::SupportedTargets()),
      one.flops * 1e-9, all.flops * 1e-9, one.bytes * 1e-9, all.bytes * 1e-9);
}

// If the peaks cannot be measured, prints the other facts first; the error then ends the program.
void print_gpu(Device device) {
  const GpuFacts facts = gpu_facts(device.index);
  nlohmann::ordered_json line = {{"gpu", backend_of(device.kind).describe(device.index)},
                                 {"driver", facts.driver},
                                 {"runtime", facts.runtime}};
  for (const auto& [size, count] : facts.resident_clusters)
    line["resident_clusters"][std::to_string(size)] = count;
  if (!facts.error.empty()) line["error"] = facts.error;
  const auto print = [&] { std::printf("%s\n", line.dump().c_str()); };
  try {
    const Peaks peaks = peaks_on(device, omp_get_max_threads());
    line["peak_gflops"] = std::round(peaks.flops * 1e-8) / 10;
    line["copy_gbs"] = std::round(peaks.bytes * 1e-8) / 10;
  } catch (...) {
    print();
    throw;
  }
  print();
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string(argv[1]) == "--version") return 0;  // the program starts: its libraries exist
    const umbra::Device device = umbra::parse_device(argc > 1 ? argv[1] : "cpu");
    device.kind == umbra::Device::Kind::kCpu ? umbra::print_cpu() : umbra::print_gpu(device);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "machine: %s\n", error.what());
    return 1;
  }
}
