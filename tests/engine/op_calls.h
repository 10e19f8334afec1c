// Calling a kernel of an op from a test, on plain vectors; and the adjoint identity.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/base/dual.h"
#include "engine/base/philox.h"
#include "engine/ops/kernel.h"
#include "engine/registry/registry.h"

namespace umbra::testing_ops {

using DualVector = std::vector<Dual<double>>;

/// Runs a reference function of any scalar type on the memory of vectors, one per buffer.
template <class O, class Function, class... Vectors>
void call_reference(const Function& function, const O& op, Vectors&... vectors) {
  void* pointers[] = {const_cast<void*>(static_cast<const void*>(vectors.data()))...};
  Stream stream{Device{}};
  function(op, Buffers(pointers), nullptr, stream);
}

/// Runs one kernel on the memory of vectors, one per buffer.
template <class... Vectors>
void call_kernel(const Kernel& kernel, const Op& op, Vectors&... vectors) {
  void* pointers[] = {const_cast<void*>(static_cast<const void*>(vectors.data()))...};
  Stream stream{Device{}};
  std::vector<double> workspace(kernel.workspace(op) / sizeof(double) + 9);
  auto address = reinterpret_cast<std::uintptr_t>(workspace.data());
  address = (address + 63) / 64 * 64;
  kernel.run(op, Buffers(pointers), reinterpret_cast<void*>(address), stream);
}

inline const Registry& all_kernels() {
  static const Registry registry = make_registry();
  return registry;
}

/// Runs every CPU kernel of the op's dtype in turn; check() is called after each with its name. Vectors that
/// the op changes are restored in between.
template <class Check, class... Vectors>
void with_every_rung(const Op& op, const Check& check, const Vectors&... vectors) {
  for (const OpFamily& family : all_kernels().families()) {
    if (family.op != op.name()) continue;
    for (const Kernel& kernel : family.kernels) {
      if (kernel.dtype != op.dtype || kernel.device != Device::Kind::kCpu || !kernel.declines(op).empty())
        continue;
      auto run = [&](auto... copies) {
        call_kernel(kernel, op, copies...);
        check(kernel.rung, copies...);
      };
      run(vectors...);
    }
  }
}

inline std::vector<double> normals(std::size_t count, std::uint64_t stream) {
  const Rng rng(2018, Purpose::kTest, stream);
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = rng.normal(i);
  return values;
}

/// value + slope eps
inline DualVector duals(const std::vector<double>& value, const std::vector<double>& slope) {
  DualVector result(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) result[i] = {value[i], slope[i]};
  return result;
}
inline std::vector<double> slopes(const DualVector& duals_) {
  std::vector<double> result(duals_.size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = duals_[i].slope;
  return result;
}

/// A sum of products that knows how large its terms were: the scale against which two such sums may differ.
struct Inner {
  double sum = 0, size = 0;
  Inner& add(const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      sum += a[i] * b[i];
      size += std::abs(a[i] * b[i]);
    }
    return *this;
  }
};

/// |<Jv, w> - <v, J^T w>| relative to the terms; the adjoint identity holds when it is below 1e-12.
inline double adjoint_gap(const Inner& forward, const Inner& backward) {
  return std::abs(forward.sum - backward.sum) / (forward.size + backward.size);
}
inline constexpr double kAdjointTolerance = 1e-12;

}  // namespace umbra::testing_ops
