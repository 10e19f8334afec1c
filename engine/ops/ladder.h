// All ladders of this build, as ladder.def lists them.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

// What the files of definitions and rungs offer: OP(op) is `Ladder op_definition()`, and a rung is
// `Kernel op_rung()`.
#define OP(op) Ladder op##_definition();
#define CPU(op, rung) Kernel op##_##rung();
#define CUDA(op, rung) Kernel op##_##rung();
#include "engine/ops/ladder.def"

/// Every op, its definition and its rungs for the CPU.
std::vector<Ladder> cpu_ladders();

/// The rungs for CUDA, to be added to those; none in a build without CUDA (cuda_ladder_absent.cpp).
std::vector<Kernel> cuda_rungs();

/// `made` under the name and for the device that ladder.def gives it; Error if it is a rung of another op.
Kernel listed(Kernel made, std::string_view op, std::string_view rung, Device::Kind device);

}  // namespace umbra
