// The error messages for a CUDA driver that is too old, missing or without a device.
#include "engine/runtime/cuda_versions.h"

#include <gtest/gtest.h>

#include "engine/runtime/backend.h"

namespace umbra {
namespace {

constexpr int kInsufficientDriver = 35, kNoDevice = 100, kUnknown = 999;  // of cudaError

TEST(CudaVersions, AnOldDriverIsNotAMissingGpu) {
  EXPECT_EQ(
      why_no_device(kInsufficientDriver, "", {12040, 13000}),
      "the NVIDIA driver is too old: it supports CUDA 12.4, but this program uses the runtime of CUDA 13.0, "
      "which needs a driver of release 580 or later");
  EXPECT_EQ(
      why_no_device(kInsufficientDriver, "", {11080, 12090}),
      "the NVIDIA driver is too old: it supports CUDA 11.8, but this program uses the runtime of CUDA 12.9, "
      "which needs a driver of release 525 or later");
  EXPECT_EQ(
      why_no_device(kInsufficientDriver, "", {13000, 14010}),
      "the NVIDIA driver is too old: it supports CUDA 13.0, but this program uses the runtime of CUDA 14.1, "
      "which needs a driver for CUDA 14.0 or later");
}

// The runtime returns the same error where there is no driver at all.
TEST(CudaVersions, WithoutADriverThereIsNone) {
  EXPECT_EQ(why_no_device(kInsufficientDriver, "", {0, 13000}), "this machine has no NVIDIA driver");
  EXPECT_EQ(why_no_device(kNoDevice, "", {0, 13000}), "this machine has no NVIDIA driver");
  EXPECT_EQ(why_no_device(kNoDevice, "", {13000, 13000}), "this machine has no CUDA device");
}

TEST(CudaVersions, OtherErrorsKeepTheRuntimesWords) {
  EXPECT_EQ(
      why_no_device(kUnknown, "unknown error", {13010, 13000}),
      "the CUDA runtime finds no device: unknown error (error 999; the driver supports CUDA 13.1, the runtime "
      "is of CUDA 13.0)");
}

// Rungs divide their work by it, and name it where they decline.
TEST(CudaBackend, HasSharedMemoryWhereItHasADevice) {
  const Backend& cuda = backend_of(Device::Kind::kCuda);
  EXPECT_EQ(cuda.shared_memory() > 0, cuda.device_count() > 0) << cuda.shared_memory();
  EXPECT_LE(cuda.shared_memory(), 1u << 20);
}

}  // namespace
}  // namespace umbra
