// Facts about a GPU from the CUDA runtime that only reports need.
#pragma once

#include <map>
#include <string>

namespace umbra {

struct GpuFacts {
  /// The CUDA version that the driver supports, and that of the runtime, e.g. "13.0".
  std::string driver, runtime;
  /// By blocks per cluster, 1 to 8: how many clusters run at a time if every block fills a multiprocessor, as those of
  /// cuda_7_cluster do; 0 if the GPU has no clusters.
  std::map<int, int> resident_clusters;
  std::string error;  // the first query that failed, with the runtime's message; empty if none did
};

GpuFacts gpu_facts(int index);

}  // namespace umbra
