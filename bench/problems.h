// The problems on which kernels are timed.
#pragma once

#include <string_view>
#include <vector>

#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"

namespace umbra {

/// A named set of problems of one op. The name of a benchmark ends in the name of the set, so that it can be
/// used as a filter.
struct ProblemSet {
  std::string_view name;
  Problems problems;
};

/// On the CPU one set without a name: the problems of the op's shapes.h and the layers of the UM ResNet at C
/// = 20, 100, 200. On a GPU, in fp32, TF32 and bf16 (with weights stored as bf16 if the op only reads them):
///   step      the UM ResNet's convolutions on batches of 32 as a step launches them: of packed operands, and with an addend
///   layers    the UM ResNet's layers on batches of 32
///   volumes   convolutions of 32 to 128 channels on 32^3 and 64^3 voxels
///   images    ResNet18 on 32 images of 224^2 and on 64 of 64^2
///   squares   matrix products of 1024 to 8192
///   tests     the rest of shapes.h
/// No problem is in two sets.
std::vector<ProblemSet> benchmark_problems(const Ladder& ladder, Device::Kind device);

}  // namespace umbra
