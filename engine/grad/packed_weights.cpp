#include "engine/grad/packed_weights.h"

#include <algorithm>
#include <mutex>

#include "engine/ops/data_movement/pack_operand.h"

namespace umbra {
namespace {

// The weights of taps that touch data, which come first in memory: a matrix [Cin, Cout] per tap, and the forms that
// `packed` has.
PackedStack live_weights(const Variable& weights, const PackedWeights& packed) {
  const Shape& shape = weights.value.shape();
  const std::int64_t inputs = shape[1], outputs = shape[0];
  return {weights.grad_layout.stored(shape) / (inputs * outputs), inputs, outputs, packed.straight.defined(),
          packed.transposed.defined()};
}

Tensor read_by_packing(const Variable& weights, const PackedStack& stack) {
  return weights.value.elements(0, stack.count());
}

bool has_forms(const Var& w) {
  return w->packed.straight.defined() || w->packed.transposed.defined();
}

}  // namespace

Tensor packed_form(Context& context, Variable& weights, Tensor PackedWeights::*form) {
  static std::mutex first_read;  // of networks that several threads read
  const std::lock_guard lock(first_read);
  Tensor& kept = weights.packed.*form;
  if (kept.defined()) return kept;
  PackedStack stack = live_weights(weights, {});
  stack.straight = form == &PackedWeights::straight;
  stack.transposed = !stack.straight;
  const PackOperand op(DType::kF32, Precision::kTf32, {stack});
  const BufferSpec spec = op.buffers()[stack.straight ? 1 : 2];
  PackedWeights made;
  made.*form = allocate_tensor(weights.value.device(), {spec.count}, spec.dtype);
  call(context, op, {read_by_packing(weights, stack), made.straight, made.transposed});
  context.stream.synchronize();
  kept = made.*form;
  return kept;
}

void pack_weights(Context& context, std::span<const Var> variables) {
  std::vector<PackedStack> stacks;
  std::vector<Tensor> tensors;
  for (const Var& w : variables) {
    if (!has_forms(w)) continue;
    stacks.push_back(live_weights(*w, w->packed));
    tensors.insert(tensors.end(),
                   {read_by_packing(*w, stacks.back()), w->packed.straight, w->packed.transposed});
  }
  if (!stacks.empty()) call(context, PackOperand(DType::kF32, Precision::kTf32, std::move(stacks)), tensors);
}

void renew_packed(std::span<const Var> variables) {
  const auto found = std::find_if(variables.begin(), variables.end(), has_forms);
  if (found == variables.end()) return;
  const Registry registry = make_registry();
  Context context(registry, (*found)->value.device());
  pack_weights(context, variables);
  context.stream.synchronize();
}

}  // namespace umbra
