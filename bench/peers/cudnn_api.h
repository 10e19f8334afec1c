// The functions of libcudnn that the rungs use, loaded on first use, and an owning wrapper of a backend
// descriptor.
#pragma once

#include <cudnn_graph.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace umbra {

struct CudnnApi {
  std::string missing;  // why cuDNN is not available; "" if it is, with all functions set
  decltype(&cudnnGetVersion) version;
  decltype(&cudnnCreate) create;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnGetErrorString) error_string;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor;
  decltype(&cudnnBackendSetAttribute) set_attribute;
  decltype(&cudnnBackendGetAttribute) get_attribute;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendExecute) execute;
};
/// Loaded by the first call.
const CudnnApi& cudnn_api();
/// Throws Error with cuDNN's message unless `status` is success.
void check_cudnn(cudnnStatus_t status, const char* call);

/// The CUDNN_TYPE_… of a value of type T.
template <class T>
inline constexpr cudnnBackendAttributeType_t kCudnnType = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<std::int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<cudnnBackendKnobType_t> = CUDNN_TYPE_KNOB_TYPE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnType<cudnnBackendNumericalNote_t> =
    CUDNN_TYPE_NUMERICAL_NOTE;

/// A descriptor of the backend API: attributes are set, then it is finalized.
class CudnnDescriptor {
 public:
  CudnnDescriptor() = default;
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }

  cudnnBackendDescriptor_t raw() const { return raw_; }
  /// Throws Error if cuDNN rejects the value, as do the other functions.
  template <class T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
    set_raw(name, kCudnnType<T>, static_cast<std::int64_t>(values.size()), values.data());
    return *this;
  }
  template <class T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const T& value) {
    set_raw(name, kCudnnType<T>, 1, &value);
    return *this;
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value) {
    set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.raw_);
    return *this;
  }
  CudnnDescriptor& finalize();

  template <class T>
  T get(cudnnBackendAttributeName_t name) const {
    T value{};
    get_raw(name, kCudnnType<T>, 1, &value);
    return value;
  }
  template <class T>
  std::vector<T> list(cudnnBackendAttributeName_t name, std::int64_t most) const {
    std::vector<T> values(static_cast<std::size_t>(most));
    const std::int64_t count = get_raw(name, kCudnnType<T>, most, values.data());
    values.resize(static_cast<std::size_t>(std::min(count, most)));
    return values;
  }
  /// Fills `into`, a descriptor of the right type, with the value of attribute `name`.
  void fill(cudnnBackendAttributeName_t name, CudnnDescriptor& into) const {
    get_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &into.raw_);
  }
  /// The descriptors of type `type` in attribute `name`.
  std::vector<CudnnDescriptor> descriptors(cudnnBackendAttributeName_t name,
                                           cudnnBackendDescriptorType_t type) const;

 private:
  void set_raw(cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, std::int64_t count,
               const void*) const;
  std::int64_t get_raw(cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, std::int64_t most,
                       void*) const;

  cudnnBackendDescriptor_t raw_ = nullptr;
};

}  // namespace umbra
