// Activations as tensor cores read them (PackOperand), packed once for all passes that read them.
// Internal: included by the sources of this folder only, and not installed.
#pragma once

#include "engine/ops/data_movement/pack_operand.h"
#include "engine/tensor/context.h"

namespace umbra {

/// Whether the rung (kernel variant) that is chosen for `op` would pack its activations itself, and reads them packed.
template <class O>
bool reads_packed(const Context& context, O op) {
  if (op.precision == Precision::kF32) return false;
  const Device::Kind device = context.device().kind;
  const auto height = context.registry.height(op, device);
  op.packed = true;
  return height && context.registry.height(op, device) == height;
}

/// A packed activation, in both orders.
struct PackedActivation {
  Tensor straight;    ///< [position][channel][sample]
  Tensor transposed;  ///< [position][sample][channel]
};

/// Packs x [N, C, spatial…], whose layout is batch-last.
inline PackedActivation pack_activation(Context& context, const Tensor& x, Precision precision) {
  const std::int64_t samples = x.shape()[0], channels = x.shape()[1];
  const PackOperand op(x.dtype(), precision, {{x.shape().count_from(2), channels, samples}});
  const std::vector<BufferSpec> specs = op.buffers();
  const PackedActivation packed{context.temporary({specs[1].count}, specs[1].dtype),
                                context.temporary({specs[2].count}, specs[2].dtype)};
  call(context, op, {x, packed.straight, packed.transposed});
  return packed;
}

}  // namespace umbra
