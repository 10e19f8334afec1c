// Cuts a product into tiles and parts (tensor_product.h) and launches it.
#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <optional>
#include <vector>

#include "engine/cuda/tile/gemm_tile.h"
#include "engine/cuda/tile/tensor_product.h"
#include "engine/cuda/tile/tensor_tile.h"
#include "engine/runtime/backend.h"

namespace umbra {
namespace {

// For each position, the set of live taps that touch data there. Only for products with few positions.
class TapsOfPositions {
 public:
  using Set = std::array<std::uint64_t, kMostTensorTaps / 64>;

  explicit TapsOfPositions(const TensorWalk& walk) : walk_(walk) {
    const auto taps_at = [&](const WindowAxis& axis, int position) {
      return walk.adjoint ? axis.taps_of_inputs({position, position})
                          : axis.taps_of_outputs({position, position});
    };
    for (int p = 0; p < walk.positions; ++p) {
      const Place at = walk.adjoint ? walk.map.input_place(p) : walk.map.output_place(p);
      const TapBox here{taps_at(walk.map.d, at.d), taps_at(walk.map.h, at.h), taps_at(walk.map.w, at.w)};
      Set set{};
      if (here.count() > 0) {
        for (Place tap = here.at(0); tap.d < kMostAxisTaps; tap = here.after(tap)) {
          const auto t = static_cast<std::size_t>(walk.map.slot_of(tap));
          set[t / 64] |= std::uint64_t{1} << (t % 64);
        }
      }
      sets_.push_back(set);
    }
  }
  const Set& at(int position) const { return sets_[static_cast<std::size_t>(position)]; }
  /// How many taps touch data for any of these units.
  int of_units(int first, int count) const {
    Set all{};
    for (int u = first; u < std::min(first + count, walk_.units()); ++u)
      all = together(all, at(walk_.position(u)));
    return size(all);
  }
  static Set together(Set a, const Set& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] |= b[i];
    return a;
  }
  static int size(const Set& set) {
    int count = 0;
    for (const std::uint64_t word : set) count += std::popcount(word);
    return count;
  }

 private:
  const TensorWalk& walk_;
  std::vector<Set> sets_;
};

bool listable(const TensorWalk& walk) {
  return !walk.pairs && walk.positions <= PositionOrder::kMost && walk.map.live().count() <= kMostTensorTaps;
}

// The cost of a product's multiplications with tiles of that shape, in products of 32 samples with one row's
// slice.
double cost_of(const TensorProduct& product, const TapsOfPositions* taps, TensorShape shape) {
  const TensorWalk& walk = product.walk;
  const double rows = static_cast<double>(ceil_div(walk.rows, rows_of(shape))) * rows_of(shape);
  const int units = walk.units();
  if (units_on_m(shape)) {
    double paired = static_cast<double>(product.live) * (units + units % 2) / units;
    if (walk.pairs) paired = static_cast<double>(ceil_div(units, units_of(shape))) * units_of(shape);
    if (taps != nullptr && walk.blocks % 2 != 0) {
      paired = 0;
      for (int u = 0; u < units; u += 2) paired += 2 * taps->of_units(u, 2);
    }
    return paired * rows;
  }
  // wgmma with 32 columns waits for the rows' operand: 24 clocks instead of 16. In return W is read once for
  // all units. An estimate, not measured.
  constexpr double kNarrow = 1.25;
  return static_cast<double>(product.live) * ceil_div(walk.rows, 64) * 64 * kNarrow;
}

TensorShape cheapest_shape(const TensorProduct& product, const TapsOfPositions* taps) {
  std::vector<TensorShape> shapes{TensorShape::kRows256, TensorShape::kRows200, TensorShape::kRows128,
                                  TensorShape::kRows64};
  if (!product.walk.pairs)
    shapes.push_back(product.walk.units() == 1 ? TensorShape::kUnits1 : TensorShape::kUnits8);
  std::vector<double> costs;
  for (const TensorShape shape : shapes) costs.push_back(cost_of(product, taps, shape));
  return shapes[static_cast<std::size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin())];
}

// Slices of a tile; if the lists of tiles differ, of the longest one.
std::int64_t slices_of_tile(const TensorProduct& product, const TapsOfPositions* known, TensorShape shape) {
  const TensorWalk& walk = product.walk;
  const int chunks = ceil_div(walk.depth, slice_steps(product.precision, walk.pairs));
  if (walk.pairs) return std::max(1, ceil_div(product.live, walk.taps)) * static_cast<std::int64_t>(chunks);
  int taps = walk.map.live().count();
  if (known != nullptr) {
    taps = 0;
    for (int u = 0; u < walk.units(); u += units_of(shape))
      taps = std::max(taps, known->of_units(u, units_of(shape)));
  }
  return static_cast<std::int64_t>(taps) * chunks;
}

// The number of parts of the sums that takes the least time, in slices of a block. It affects only speed;
// because it depends on sizes alone, results are bit-identical on every GPU.
int parts_of(std::int64_t tiles, std::int64_t slices, bool clusters) {
  constexpr std::int64_t kAtOnce = 132;  // blocks at a time: the multiprocessors of an H100
  constexpr double kStart = 3, kClusterSum = 2, kLaunch = 4, kPartOfTile = 1.0 / 50;
  constexpr std::int64_t kMost = 8, kFewestSlices = 2;
  int best = 1;
  double least = 0;
  for (int parts = 1; parts <= kMost; parts = clusters ? 2 * parts : parts + 1) {
    if (parts > 1 && (slices < parts * kFewestSlices || tiles * parts > 2 * kAtOnce)) break;
    const double waves = static_cast<double>((tiles * parts + kAtOnce - 1) / kAtOnce);
    const double adding = parts == 1 ? 0
                          : clusters ? kClusterSum
                                     : kLaunch + kPartOfTile * static_cast<double>(tiles * parts);
    const double time = waves * (static_cast<double>(slices) / parts + kStart) + adding;
    if (parts > 1 && time >= least) continue;
    best = parts;
    least = time;
  }
  return best;
}

std::size_t whole_lines(std::size_t bytes) {
  return (bytes + 255) / 256 * 256;
}

std::size_t bytes_of_parts(const TensorProduct& product, const TensorPlan& plan, TensorRung rung) {
  if (rung == TensorRung::kCluster || plan.parts == 1) return 0;
  return static_cast<std::size_t>(plan.parts) * static_cast<std::size_t>(product.outputs) * sizeof(float);
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

}  // namespace

std::string why_no_wgmma() {
  constexpr int kHopper = 9;
  if (backend_of(Device::Kind::kCuda).compute_capability() != kHopper)
    return "it needs a GPU of compute capability 9.0 (Hopper)";
  return {};
}

PositionOrder paired_order(const TensorWalk& walk) {
  PositionOrder order{true, {}};
  if (!listable(walk) || walk.blocks % 2 == 0 || walk.positions < 3) return order;
  TensorWalk natural = walk;
  natural.order.natural = true;
  const TapsOfPositions taps(natural);
  std::vector<int> sorted(static_cast<std::size_t>(walk.positions)), left, made;
  std::iota(sorted.begin(), sorted.end(), 0);
  std::stable_sort(sorted.begin(), sorted.end(), [&](int a, int b) { return taps.at(a) < taps.at(b); });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const bool twins = i + 1 < sorted.size() && taps.at(sorted[i]) == taps.at(sorted[i + 1]);
    if (!twins) {
      left.push_back(sorted[i]);
      continue;
    }
    made.insert(made.end(), {sorted[i], sorted[i + 1]});
    ++i;
  }
  // Of the others, the first is paired with the one with which it has the fewest unshared taps.
  while (!left.empty()) {
    const int first = left.front();
    left.erase(left.begin());
    made.push_back(first);
    const auto unshared = [&](int p) {
      return 2 * taps.size(taps.together(taps.at(first), taps.at(p))) - taps.size(taps.at(p));
    };
    const auto best =
        std::min_element(left.begin(), left.end(), [&](int a, int b) { return unshared(a) < unshared(b); });
    if (best == left.end()) break;
    made.push_back(*best);
    left.erase(best);
  }
  order.natural = false;
  for (std::size_t i = 0; i < made.size(); ++i) order.position[i] = static_cast<unsigned short>(made[i]);
  return order;
}

TensorPlan plan_tensor_product(const TensorProduct& product, TensorRung rung) {
  const TensorWalk& walk = product.walk;
  const bool first_rungs = rung == TensorRung::kWgmma || rung == TensorRung::kTma;
  std::optional<TapsOfPositions> taps;
  if (listable(walk)) taps.emplace(walk);
  const TapsOfPositions* const known = taps ? &*taps : nullptr;
  TensorPlan plan{first_rungs ? TensorShape::kRows128 : cheapest_shape(product, known), 0, 0, walk.taps, 1};
  plan.row_tiles = ceil_div(walk.rows, rows_of(plan.shape));
  plan.unit_tiles = ceil_div(walk.units(), units_of(plan.shape));
  plan.parts =
      parts_of(plan.tiles(), slices_of_tile(product, known, plan.shape), rung == TensorRung::kCluster);
  return plan;
}

std::size_t tensor_workspace(const TensorProduct& product, TensorRung rung) {
  return bytes_of(product.w, packed_w(product)) + bytes_of(product.x, packed_x(product)) +
         bytes_of_parts(product, plan_tensor_product(product, rung), rung);
}

TensorArguments tensor_arguments(const TensorLaunch& launched) {
  const TensorEpilogue& epilogue = launched.product.epilogue;
  // Neighbours are rows if rows are contiguous, and samples otherwise; the offset of a pair is even.
  const auto even = [](int n) { return n % 2 == 0; };
  const bool rows_touch = epilogue.row_pitch == 1;
  const bool twos =
      even(epilogue.outer_pitch) && even(rows_touch ? epilogue.sample_pitch : epilogue.row_pitch) &&
      launched.product.outputs % 2 == 0 && reinterpret_cast<std::uintptr_t>(epilogue.result) % 8 == 0;
  return {launched.product.walk,    epilogue, launched.plan.row_tiles,
          launched.plan.unit_tiles, twos,     launched.parts,
          launched.product.outputs};
}

void run_tensor_product(const TensorProduct& product, TensorRung rung, void* workspace, void* stream) {
  auto* free = static_cast<unsigned char*>(workspace);
  TensorLaunch launched{product, plan_tensor_product(product, rung), {}, {}, nullptr};
  launched.w = pack_into(product.w, packed_w(product), free, stream);
  launched.x = pack_into(product.x, packed_x(product), free, stream);
  if (bytes_of_parts(product, launched.plan, rung) > 0) launched.parts = reinterpret_cast<float*>(free);
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
