// In place of nccl.cpp in a build without NCCL.
#include "engine/base/error.h"
#include "engine/dist/device_transport.h"

namespace umbra {

std::string nccl_missing() {
  return "this build of umbra has no NCCL, which several processes need on GPUs; install it and build again with "
         "-DUMBRA_NCCL=ON, or use device=cpu";
}

std::vector<std::byte> new_nccl_id() {
  fail(nccl_missing());
}

std::unique_ptr<DeviceTransport> connect_with_nccl(std::span<const std::byte>, int, int, Device) {
  fail(nccl_missing());
}

}  // namespace umbra
