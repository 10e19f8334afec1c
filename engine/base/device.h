// Where memory lives and kernels run.
#pragma once

#include <string>

namespace umbra {

struct Device {
  enum class Kind { kCpu, kCuda };
  Kind kind = Kind::kCpu;
  int index = 0;

  friend bool operator==(const Device&, const Device&) = default;
};

inline std::string name_of(Device::Kind kind) {
  return kind == Device::Kind::kCpu ? "cpu" : "cuda";
}
inline std::string name_of(Device device) {
  return device.kind == Device::Kind::kCpu ? "cpu" : "cuda:" + std::to_string(device.index);
}

}  // namespace umbra
