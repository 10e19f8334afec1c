// The error message when the CUDA runtime finds no device. It depends only on numbers that the runtime
// returned, so that it can be tested without CUDA.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace umbra {

/// The results of cudaDriverGetVersion() and cudaRuntimeGetVersion(): 13000 is CUDA 13.0. `driver` is 0 if
/// there is no driver.
struct CudaVersions {
  int driver = 0, runtime = 0;
};

inline std::string cuda_version(int number) {
  return concat(number / 1000, '.', number % 1000 / 10);
}

/// The driver that a runtime of this version needs; all minor versions of a release need the same one (CUDA
/// Compatibility: "minor version compatibility").
inline std::string driver_needed(int runtime) {
  struct Release {
    int cuda, driver;
  };
  for (const auto& [cuda, driver] : {Release{11, 450}, {12, 525}, {13, 580}})
    if (runtime / 1000 == cuda) return concat("a driver of release ", driver, " or later");
  return concat("a driver for CUDA ", runtime / 1000, ".0 or later");
}

/// `status` is the result of cudaGetDeviceCount(), and `words` the text of cudaGetErrorString() for it.
inline std::string why_no_device(int status, std::string_view words, const CudaVersions& versions) {
  constexpr int kInsufficientDriver = 35, kNoDevice = 100;  // of cudaError
  if (versions.driver == 0) return "this machine has no NVIDIA driver";
  if (status == kNoDevice) return "this machine has no CUDA device";
  if (status == kInsufficientDriver)
    return concat("the NVIDIA driver is too old: it supports CUDA ", cuda_version(versions.driver),
                  ", but this program uses the runtime of CUDA ", cuda_version(versions.runtime),
                  ", which needs ", driver_needed(versions.runtime));
  return concat("the CUDA runtime finds no device: ", words, " (error ", status,
                "; the driver supports CUDA ", cuda_version(versions.driver), ", the runtime is of CUDA ",
                cuda_version(versions.runtime), ")");
}

}  // namespace umbra
