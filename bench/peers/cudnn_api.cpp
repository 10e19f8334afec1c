#include "bench/peers/cudnn_api.h"

#include "bench/peers/library.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

CudnnApi load() {
  static_assert(CUDNN_MAJOR == 9, "the name of the library below is that of another version");
  Library library({"libcudnn.so.9"});
  CudnnApi api{};
  library.find("cudnnGetVersion", api.version);
  library.find("cudnnCreate", api.create);
  library.find("cudnnSetStream", api.set_stream);
  library.find("cudnnGetErrorString", api.error_string);
  library.find("cudnnBackendCreateDescriptor", api.create_descriptor);
  library.find("cudnnBackendDestroyDescriptor", api.destroy_descriptor);
  library.find("cudnnBackendSetAttribute", api.set_attribute);
  library.find("cudnnBackendGetAttribute", api.get_attribute);
  library.find("cudnnBackendFinalize", api.finalize);
  library.find("cudnnBackendExecute", api.execute);
  api.missing = library.missing();
  return api;
}

}  // namespace

const CudnnApi& cudnn_api() {
  static const CudnnApi api = load();
  return api;
}

void check_cudnn(cudnnStatus_t status, const char* call) {
  require(status == CUDNN_STATUS_SUCCESS, "cuDNN: ", call, " failed: ", cudnn_api().error_string(status));
}

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type) {
  check_cudnn(cudnn_api().create_descriptor(type, &raw_), "cudnnBackendCreateDescriptor");
}

CudnnDescriptor::~CudnnDescriptor() {
  if (raw_ != nullptr) cudnn_api().destroy_descriptor(raw_);
}

CudnnDescriptor& CudnnDescriptor::finalize() {
  check_cudnn(cudnn_api().finalize(raw_), "cudnnBackendFinalize");
  return *this;
}

void CudnnDescriptor::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                              std::int64_t count, const void* values) const {
  check_cudnn(cudnn_api().set_attribute(raw_, name, type, count, values), "cudnnBackendSetAttribute");
}

std::int64_t CudnnDescriptor::get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                      std::int64_t most, void* values) const {
  std::int64_t count = 0;
  check_cudnn(cudnn_api().get_attribute(raw_, name, type, most, &count, values), "cudnnBackendGetAttribute");
  return count;
}

std::vector<CudnnDescriptor> CudnnDescriptor::descriptors(cudnnBackendAttributeName_t name,
                                                          cudnnBackendDescriptorType_t type) const {
  const std::int64_t count = get_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
  std::vector<CudnnDescriptor> owners;
  std::vector<cudnnBackendDescriptor_t> raw;  // cuDNN fills existing descriptors, it does not create them
  for (std::int64_t i = 0; i < count; ++i) {
    owners.emplace_back(type);
    raw.push_back(owners.back().raw());
  }
  const std::int64_t filled =
      count == 0 ? 0 : get_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, raw.data());
  owners.resize(static_cast<std::size_t>(std::min(filled, count)));
  return owners;
}

}  // namespace umbra
