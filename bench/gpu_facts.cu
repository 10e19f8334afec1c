#include "bench/gpu_facts.h"
#include "cuda_grid.h"
#include "engine/runtime/cuda_versions.h"

namespace umbra {
namespace {

// The block of cuda_7_cluster, without its work.
constexpr int kThreads = 384;
__global__ void __launch_bounds__(kThreads, 1) fills_a_multiprocessor() {}

cudaError_t count_clusters(int size, std::size_t shared, int* count) {
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim.x = 1;
  cluster.val.clusterDim.y = static_cast<unsigned>(size);
  cluster.val.clusterDim.z = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(1, static_cast<unsigned>(size), 1);
  config.blockDim = kThreads;
  config.dynamicSmemBytes = shared;
  config.attrs = &cluster;
  config.numAttrs = 1;
  return cudaOccupancyMaxActiveClusters(count, fills_a_multiprocessor, &config);
}

}  // namespace

GpuFacts gpu_facts(int index) {
  GpuFacts facts;
  int driver = 0, runtime = 0, major = 0, shared = 0;
  const auto ask = [&](cudaError_t status, const char* call) {
    if (status == cudaSuccess) return true;
    cudaGetLastError();  // clears the error, which is reported here
    if (facts.error.empty()) facts.error = concat(call, ": ", cudaGetErrorString(status));
    return false;
  };
  ask(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  ask(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  facts.driver = cuda_version(driver);
  facts.runtime = cuda_version(runtime);
  const bool known =
      ask(cudaSetDevice(index), "cudaSetDevice") &&
      ask(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index),
          "cudaDeviceGetAttribute") &&
      ask(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, index),
          "cudaDeviceGetAttribute") &&
      ask(cudaFuncSetAttribute(fills_a_multiprocessor, cudaFuncAttributeMaxDynamicSharedMemorySize, shared),
          "cudaFuncSetAttribute");
  constexpr int kHopper = 9;  // the first with clusters
  for (int size = 1; size <= 8; ++size) {
    int count = 0;
    if (known && major >= kHopper)
      ask(count_clusters(size, static_cast<std::size_t>(shared), &count), "cudaOccupancyMaxActiveClusters");
    facts.resident_clusters[size] = count;
  }
  return facts;
}

}  // namespace umbra
