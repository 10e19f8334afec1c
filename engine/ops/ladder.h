// All ladders of this build, as ladder.def lists them.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

// The functions that the definitions and rungs define: OP(op) is `Ladder op_definition()`, and a rung is
// `Kernel op_rung()`.
#define OP(op) Ladder op##_definition();
#define CPU(op, rung) Kernel op##_##rung();
#define CUDA(op, rung) Kernel op##_##rung();
#include "engine/ops/ladder.def"

/// Every op, its definition and its rungs for the CPU.
std::vector<Ladder> cpu_ladders();

/// The rungs for CUDA, to be added to those; empty in a build without CUDA (cuda_ladder_absent.cpp).
std::vector<Kernel> cuda_rungs();

/// `made` with the name and the device that ladder.def gives it; throws Error if it is a rung of another
/// op.
Kernel listed(Kernel made, std::string_view op, std::string_view rung, Device::Kind device);

}  // namespace umbra
