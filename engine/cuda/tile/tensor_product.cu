// Packs the operands of a product (tensor_product.h) and launches it; tensor_plan.cu decides how it is divided.
#include "engine/cuda/tile/gemm_tile.h"
#include "engine/cuda/tile/remembered.h"
#include "engine/cuda/tile/tensor_product.h"
#include "engine/cuda/tile/tensor_tile.h"
#include "engine/runtime/backend.h"

namespace umbra {
namespace {

std::size_t whole_lines(std::size_t bytes) {
  return (bytes + 255) / 256 * 256;
}

std::size_t bytes_of_parts(const TensorProduct& product, const TensorPlan& plan) {
  return plan.parts == 1 ? 0
                         : static_cast<std::size_t>(plan.parts) * static_cast<std::size_t>(product.outputs) *
                               sizeof(float);
}

PackedOperand packed_w(const TensorProduct& product) {
  return packed_operand(product.w, product.precision, product.w_transposed);
}
PackedOperand packed_x(const TensorProduct& product) {
  return packed_operand(product.x, product.precision, product.x_transposed);
}

// Bytes of the workspace; none if the operand is used in place.
std::size_t bytes_of(const OperandSource& source, const PackedOperand& packed) {
  return source.packed || packed.data != nullptr ? 0 : whole_lines(packed.bytes());
}

// Packs an operand that is not used in place into the next free bytes.
PackedOperand pack_into(const OperandSource& source, PackedOperand packed, unsigned char*& free,
                        void* stream) {
  if (packed.data != nullptr) return packed;
  pack_operand(source, packed, free, stream);
  packed.data = free;
  free += whole_lines(packed.bytes());
  return packed;
}

// What a plan depends on; a walk's order follows from its map.
struct PlannedBy {
  TensorRung rung;
  Precision precision;
  WindowMap map;
  bool pairs, adjoint, w_along_rows;
  int depth, rows, samples;
  auto operator<=>(const PlannedBy&) const = default;
};

}  // namespace

std::string tensor_terms_decline(std::int64_t terms) {
  return terms > kMostTensorTerms ? concat("its sums have at most ", kMostTensorTerms, " terms") : "";
}

std::string why_no_wgmma() {
  if (!backend_of(Device::Kind::kCuda).has_wgmma())
    return "it needs a GPU of compute capability 9.0 (Hopper)";
  return {};
}

TensorPlan plan_tensor_product(const TensorProduct& product, TensorRung rung) {
  static Remembered<PlannedBy, TensorPlan> plans;
  const TensorWalk& walk = product.walk;
  return plans.of({rung, product.precision, walk.map, walk.pairs, walk.adjoint, product.w_along_rows,
                   walk.depth, walk.rows, walk.samples},
                  [&] { return find_tensor_plan(product, rung); });
}

std::size_t tensor_workspace(const TensorProduct& product, TensorRung rung) {
  const std::size_t packed = bytes_of(product.w, packed_w(product)) + bytes_of(product.x, packed_x(product));
  if (rung == TensorRung::kCluster) return packed;
  return packed + bytes_of_parts(product, plan_tensor_product(product, rung));
}

TensorArguments tensor_arguments(const TensorLaunch& launched) {
  const TensorEpilogue& epilogue = launched.product.epilogue;
  // Neighbours are rows if rows are contiguous, and samples otherwise; the offset of a pair is even.
  const auto even = [](int n) { return n % 2 == 0; };
  const bool rows_touch = epilogue.row_pitch == 1;
  const bool twos =
      even(epilogue.outer_pitch) && even(rows_touch ? epilogue.sample_pitch : epilogue.row_pitch) &&
      launched.product.outputs % 2 == 0 && reinterpret_cast<std::uintptr_t>(epilogue.result) % 8 == 0;
  return {launched.product.walk,
          epilogue,
          launched.plan.row_tiles,
          launched.plan.unit_tiles,
          twos,
          launched.parts,
          launched.product.outputs,
          launched.plan.blocks};
}

void run_tensor_product(const TensorProduct& product, TensorRung rung, void* workspace, void* stream) {
  run_tensor_product(product, rung, plan_tensor_product(product, rung), workspace, stream);
}

void run_tensor_product(const TensorProduct& product, TensorRung rung, const TensorPlan& plan,
                        void* workspace, void* stream) {
  auto* free = static_cast<unsigned char*>(workspace);
  TensorLaunch launched{product, plan, {}, {}, nullptr};
  launched.w = pack_into(product.w, packed_w(product), free, stream);
  launched.x = pack_into(product.x, packed_x(product), free, stream);
  if (rung != TensorRung::kCluster && launched.plan.parts > 1)
    launched.parts = reinterpret_cast<float*>(free);
  switch (rung) {
    case TensorRung::kWgmma:
      launch_tensor_wgmma(launched, stream);
      break;
    case TensorRung::kTma:
      launch_tensor_tma(launched, stream);
      break;
    case TensorRung::kSpecialised:
      launch_tensor_specialised(launched, stream);
      break;
    case TensorRung::kCluster:
      launch_tensor_cluster(launched, stream);
      break;
  }
  if (launched.parts == nullptr) return;
  launch(add_parts<TensorEpilogue>, {{static_cast<unsigned>(ceil_div(product.outputs, 128))}, {128}}, stream,
         static_cast<const float*>(launched.parts), launched.plan.parts, static_cast<int>(product.outputs),
         product.epilogue);
}

}  // namespace umbra
