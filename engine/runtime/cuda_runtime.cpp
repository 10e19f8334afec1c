// The CUDA backend: devices, memory, queues and copies through the CUDA runtime. Every call is checked, and a
// failure is a sentence naming the call.
#include <cuda_runtime_api.h>

#include "engine/base/error.h"
#include "engine/runtime/backend.h"

namespace umbra {
namespace {

void check(cudaError_t status, const char* call, int index) {
  if (status != cudaSuccess) fail("device cuda:", index, ": ", call, " failed: ", cudaGetErrorString(status));
}

cudaStream_t stream_of(void* queue) {
  return static_cast<cudaStream_t>(queue);
}

class CudaBackend final : public Backend {
 public:
  int device_count() const override {
    int count = 0;
    // No driver and no card are the same answer: nothing to run on.
    return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
  }
  std::string describe(int index) const override {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties", index);
    return concat(properties.name, ", compute capability ", properties.major, ".", properties.minor, ", ",
                  properties.multiProcessorCount, " SMs, ", properties.totalGlobalMem >> 20, " MiB");
  }
  void* allocate(int index, std::size_t bytes) const override {
    select(index);
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes == 0 ? 1 : bytes), "cudaMalloc", index);
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

 private:
  static void select(int index) { check(cudaSetDevice(index), "cudaSetDevice", index); }
};

}  // namespace

const Backend& cuda_backend() {
  static const CudaBackend backend;
  return backend;
}

}  // namespace umbra
