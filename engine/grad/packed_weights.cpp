#include "engine/grad/packed_weights.h"

#include "engine/ops/data_movement/pack_operand.h"

namespace umbra {
namespace {

// The weights of taps that touch data, which come first in memory: a matrix [Cin, Cout] per tap.
PackedStack live_weights(const Variable& weights) {
  const Shape& shape = weights.value.shape();
  const std::int64_t inputs = shape[1], outputs = shape[0];
  return {weights.grad_layout.stored(shape) / (inputs * outputs), inputs, outputs,
          weights.packed.straight.defined(), weights.packed.transposed.defined()};
}

}  // namespace

void keep_packed(Variable& weights, bool learns) {
  PackedStack stack = live_weights(weights);
  stack.straight = learns;
  stack.transposed = true;
  const std::vector<BufferSpec> specs =
      PackOperand(weights.value.dtype(), Precision::kTf32, {stack}).buffers();
  const Device device = weights.value.device();
  if (learns) weights.packed.straight = allocate_tensor(device, {specs[1].count}, specs[1].dtype);
  weights.packed.transposed = allocate_tensor(device, {specs[2].count}, specs[2].dtype);
}

void pack_weights(Context& context, std::span<const Var> variables) {
  std::vector<PackedStack> stacks;
  std::vector<Tensor> tensors;
  for (const Var& w : variables) {
    if (!w->packed.transposed.defined()) continue;
    stacks.push_back(live_weights(*w));
    tensors.insert(tensors.end(),
                   {w->value.elements(0, stacks.back().count()), w->packed.straight, w->packed.transposed});
  }
  if (stacks.empty()) return;
  call(context, PackOperand(DType::kF32, Precision::kTf32, std::move(stacks)), tensors);
  for (const Var& w : variables) w->packed.current = true;
}

}  // namespace umbra
