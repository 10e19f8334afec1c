#include "engine/runtime/backend.h"

#include <charconv>

#include "engine/base/error.h"
#include "engine/runtime/stream.h"

namespace umbra {

const Backend& backend_of(Device::Kind kind) {
  return kind == Device::Kind::kCpu ? cpu_backend() : cuda_backend();
}

Device parse_device(const std::string& text) {
  if (text == "cpu") return {};
  const int gpus = cuda_backend().device_count();
  if (text == "auto") return gpus > 0 ? Device{Device::Kind::kCuda, 0} : Device{};
  require(text == "cuda" || text.starts_with("cuda:"), "device=", text,
          ": expected auto, cpu, cuda or cuda:N");
  int index = 0;
  if (text != "cuda") {
    const char* end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data() + 5, end, index);
    require(status == std::errc{} && stop == end && index >= 0, "device=", text,
            ": expected a number after cuda:");
  }
  require(gpus > 0, "device=", text,
          ": no usable CUDA device on this machine, or this build of umbra has no CUDA");
  require(index < gpus, "device=", text, ": this machine has ", gpus, " usable CUDA devices");
  return {Device::Kind::kCuda, index};
}

Stream::Stream(Device device)
    : device_(device), native_(backend_of(device.kind).create_queue(device.index)) {}
Stream::~Stream() {
  backend_of(device_.kind).destroy_queue(device_.index, native_);
}
void Stream::synchronize() const {
  backend_of(device_.kind).synchronize(device_.index, native_);
}

}  // namespace umbra
