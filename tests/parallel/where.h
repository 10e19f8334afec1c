// Where the processes of data_parallel_test.cpp compute: on CPUs (on_cpus.cpp), or each on an emulated GPU
// (tests/cuda/nccl/on_emulated_gpus.cpp).
#pragma once

#include "engine/base/device.h"

namespace umbra {

/// The device of this process.
Device device_of_process();

}  // namespace umbra
