// The four rungs of products on Hopper's tensor cores, for the tables of the ops that have them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/kernel.h"

namespace umbra {

/// What each adds is told in tensor_product.h.
enum class TensorRung { kWgmma, kTma, kSpecialised, kCluster };
inline constexpr TensorRung kTensorRungs[] = {TensorRung::kWgmma, TensorRung::kTma, TensorRung::kSpecialised,
                                              TensorRung::kCluster};
constexpr std::string_view name_of(TensorRung rung) {
  constexpr std::string_view kNames[] = {"cuda_4_wgmma", "cuda_5_tma", "cuda_6_specialised",
                                         "cuda_7_cluster"};
  return kNames[static_cast<int>(rung)];
}

/// Why no tensor rung takes operands of that precision, or the machine's GPU has none; "" when they do.
std::string tensor_declines(Precision precision);
/// Why no tensor rung takes a convolution of that geometry; "" when they do.
std::string tensor_declines(const ConvGeometry& geometry, Precision precision);

/// Adds the four rungs of an op to its ladder. Run(op, rung, buffers, workspace, stream) starts one,
/// Workspace(op, rung) says what it needs.
template <class O, auto Run, auto Workspace, auto Declines>
void add_tensor_rungs(std::vector<Kernel>& ladder, std::string_view op) {
  const auto add = [&]<TensorRung kRung>() {
    Kernel kernel{op, name_of(kRung), Device::Kind::kCuda, DType::kF32, nullptr, nullptr, nullptr};
    kernel.run = [](const Op& problem, Buffers buffers, void* workspace, Stream& stream) {
      Run(static_cast<const O&>(problem), kRung, buffers, workspace, stream);
    };
    kernel.declines = [](const Op& problem) -> std::string {
      return Declines(static_cast<const O&>(problem));
    };
    kernel.workspace = [](const Op& problem) -> std::size_t {
      return Workspace(static_cast<const O&>(problem), kRung);
    };
    ladder.push_back(kernel);
  };
  add.template operator()<TensorRung::kWgmma>();
  add.template operator()<TensorRung::kTma>();
  add.template operator()<TensorRung::kSpecialised>();
  add.template operator()<TensorRung::kCluster>();
}

}  // namespace umbra
