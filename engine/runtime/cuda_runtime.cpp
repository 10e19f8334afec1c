// The CUDA backend: devices, memory, queues, events and graphs through the CUDA runtime. Every call is
// checked; the Error of a failure names the call.
#include <cuda_runtime_api.h>
#include <nvtx3/nvToolsExt.h>

#include <algorithm>

#include "engine/base/error.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/cuda_versions.h"
#include "engine/runtime/launch_refusal.h"

namespace umbra {
namespace {

constexpr int kOldestMajor = 8;  // the kernels are compiled for compute capability 8.0 and newer

void check(cudaError_t status, const char* call, int index) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // clears the error, so that a later check does not report it again
  fail("device cuda:", index, ": ", call, " failed: ", cudaGetErrorString(status));
}

cudaStream_t stream_of(void* queue) {
  return static_cast<cudaStream_t>(queue);
}
cudaEvent_t event_of(void* event) {
  return static_cast<cudaEvent_t>(event);
}

cudaDeviceProp properties_of(int index) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties", index);
  return properties;
}

class CudaBackend final : public Backend {
 public:
  int device_count() const override {
    int count = 0, usable = 0;
    // A missing driver and one that is too old count as no card; why_none() distinguishes them. Cards are
    // counted up to the first that is too old; the driver lists the fastest first.
    if (cudaGetDeviceCount(&count) != cudaSuccess) return 0;
    while (usable < count && properties_of(usable).major >= kOldestMajor) ++usable;
    return usable;
  }
  std::string describe(int index) const override {
    const cudaDeviceProp p = properties_of(index);
    return concat(p.name, ", compute capability ", p.major, ".", p.minor, ", ", p.multiProcessorCount,
                  " SMs, ", p.totalGlobalMem >> 20, " MiB");
  }
  std::string identity(int index) const override {
    const cudaDeviceProp p = properties_of(index);
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text = "GPU";  // as nvidia-smi -L prints it
    for (std::size_t i = 0; i < sizeof p.uuid.bytes; ++i) {
      if (i == 0 || (i >= 4 && i <= 10 && i % 2 == 0)) text += '-';
      const auto value = static_cast<unsigned char>(p.uuid.bytes[i]);
      text += {kDigits[value / 16], kDigits[value % 16]};
    }
    return text;
  }
  std::string why_none() const override {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess) {
      CudaVersions versions;
      cudaDriverGetVersion(&versions.driver);
      cudaRuntimeGetVersion(&versions.runtime);
      return why_no_device(status, cudaGetErrorString(status), versions);
    }
    if (count == 0) return "this machine has no CUDA device";
    return concat("this machine's CUDA device is too old: ", describe(0),
                  "; umbra's kernels need compute capability ", kOldestMajor, ".0 or newer");
  }
  std::size_t shared_memory() const override {
    static const std::size_t least = [this] {
      const int devices = device_count();
      std::size_t bytes = devices > 0 ? properties_of(0).sharedMemPerBlockOptin : 0;
      for (int i = 1; i < devices; ++i) bytes = std::min(bytes, properties_of(i).sharedMemPerBlockOptin);
      return bytes;
    }();
    return least;
  }
  int compute_capability() const override {
    static const int common = [this] {
      const int devices = device_count(), first = devices > 0 ? properties_of(0).major : 0;
      for (int i = 1; i < devices; ++i) {
        if (properties_of(i).major != first) return 0;
      }
      return first;
    }();
    return common;
  }
  void* allocate(int index, std::size_t bytes) const override {
    select(index);
    void* memory = nullptr;
    const cudaError_t status = cudaMalloc(&memory, bytes == 0 ? 1 : bytes);
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();  // clears the error
      std::size_t free = 0, total = 0;
      cudaMemGetInfo(&free, &total);
      fail("device cuda:", index, " is out of memory: ", bytes >> 20, " MiB were requested, ", free >> 20,
           " of ", total >> 20, " MiB are free; a smaller train.batch or model.channels needs less");
    }
    check(status, "cudaMalloc", index);
    return memory;
  }
  void release(int, void* memory, std::size_t) const override { cudaFree(memory); }
  void* create_queue(int index) const override {
    select(index);
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags", index);
    return stream;
  }
  void destroy_queue(int, void* queue) const override { cudaStreamDestroy(stream_of(queue)); }
  void synchronize(int index, void* queue) const override {
    check(cudaStreamSynchronize(stream_of(queue)), "cudaStreamSynchronize", index);
  }
  void copy(int index, void* queue, void* to, const void* from, std::size_t bytes) const override {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_of(queue)), "cudaMemcpyAsync", index);
  }
  std::string launch_error(int) const override {
    const cudaError_t status = cudaGetLastError();
    std::string refusal = take_launch_refusal();
    if (!refusal.empty() || status == cudaSuccess) return refusal;
    return cudaGetErrorString(status);
  }

  void* allocate_pinned(int index, std::size_t bytes) const override {
    select(index);
    void* memory = nullptr;
    check(cudaMallocHost(&memory, bytes), "cudaMallocHost", index);
    return memory;
  }
  void release_pinned(int, void* memory) const override { cudaFreeHost(memory); }

  void* create_event(int index) const override {
    select(index);
    cudaEvent_t event = nullptr;
    check(cudaEventCreate(&event), "cudaEventCreate", index);
    return event;
  }
  void destroy_event(int, void* event) const override { cudaEventDestroy(event_of(event)); }
  void record(int index, void* event, void* queue) const override {
    check(cudaEventRecord(event_of(event), stream_of(queue)), "cudaEventRecord", index);
  }
  void wait(int index, void* event) const override {
    check(cudaEventSynchronize(event_of(event)), "cudaEventSynchronize", index);
  }
  double seconds(int index, void* from, void* to) const override {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, event_of(from), event_of(to)), "cudaEventElapsedTime", index);
    return 1e-3 * static_cast<double>(milliseconds);
  }
  void wait_in_queue(int index, void* queue, void* event) const override {
    check(cudaStreamWaitEvent(stream_of(queue), event_of(event), 0), "cudaStreamWaitEvent", index);
  }
  bool reached(int index, void* event) const override {
    const cudaError_t status = cudaEventQuery(event_of(event));
    if (status == cudaErrorNotReady) {
      cudaGetLastError();  // not an error: launch_error() must not report it
      return false;
    }
    check(status, "cudaEventQuery", index);
    return true;
  }

  bool captures_graphs() const override { return true; }
  void begin_capture(int index, void* queue) const override {
    check(cudaStreamBeginCapture(stream_of(queue), cudaStreamCaptureModeRelaxed), "cudaStreamBeginCapture",
          index);
  }
  void* end_capture(int index, void* queue) const override {
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(stream_of(queue), &graph), "cudaStreamEndCapture", index);
    cudaGraphExec_t executable = nullptr;
    const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate", index);
    return executable;
  }
  void launch_graph(int index, void* queue, void* graph) const override {
    check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream_of(queue)), "cudaGraphLaunch", index);
  }
  void destroy_graph(int, void* graph) const override {
    cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
  }
  void begin_range(const char* name) const override { nvtxRangePushA(name); }
  void end_range() const override { nvtxRangePop(); }
  void select(int index) const override { check(cudaSetDevice(index), "cudaSetDevice", index); }
};

}  // namespace

const Backend& cuda_backend() {
  static const CudaBackend backend;
  return backend;
}

}  // namespace umbra
