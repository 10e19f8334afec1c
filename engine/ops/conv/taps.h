// Live taps: which (tap, position) pairs of a convolution touch data. On the small volumes of the UM ResNet
// more than half of them multiply only padding; every fast rung, on any device, iterates over these lists
// instead of testing bounds. The lists depend on the geometry alone and are exact.
//
// Positions and taps are numbered in row-major order (D, H, W). A pair couples output position o, tap t and
// input position i = o * stride - padding + t * dilation, on every axis; per axis, two of them determine
// the third. Weights in memory contain live taps only, so there a tap is identified by its number among the
// live ones (number_live_taps).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/ops/conv/geometry.h"

namespace umbra {

/// The index by which pairs are listed, and the two indices that each entry of a list holds.
enum class TapOrder {
  kByOutput,  // fprop: for every output position (tap, input position)
  kByInput,   // dgrad: for every input position (tap, output position)
  kByTap,     // wgrad: for every tap (output position, input position)
};

struct TapEntry {
  std::int32_t first;   // tap, tap or output position
  std::int32_t second;  // input position, output position or input position
};

/// Number of lists: output positions, input positions or taps.
std::int64_t tap_list_count(const ConvGeometry& g, TapOrder order);

/// Writes list l to entries[begin[l]] … entries[begin[l + 1] - 1], in ascending order of `first`. `begin` has
/// tap_list_count + 1 elements and `entries` live_pairs.
void write_tap_lists(const ConvGeometry& g, TapOrder order, std::span<std::int32_t> begin,
                     std::span<TapEntry> entries);

/// The same lists with taps numbered among the live ones: as `first` in kByOutput and kByInput, and without
/// the (empty) lists of dead taps in kByTap, where only begin[0] … begin[live taps] are meaningful. `slots`
/// ([taps]) receives the numbering of number_live_taps.
void write_live_tap_lists(const ConvGeometry& g, TapOrder order, std::span<std::int32_t> slots,
                          std::span<std::int32_t> begin, std::span<TapEntry> entries);

/// Numbers those taps, input positions or output positions that are part of a pair 0, 1, 2, … in their
/// order and the others -1; returns the number of the former. slots: [taps], [in_volume] or [out_volume],
/// or empty to only count.
std::int64_t number_live_taps(const ConvGeometry& g, std::span<std::int32_t> slots);
std::int64_t number_live_inputs(const ConvGeometry& g, std::span<std::int32_t> slots);
std::int64_t number_live_outputs(const ConvGeometry& g, std::span<std::int32_t> slots);

/// Why a rung that keeps positions and pairs in 32 bits does not support this geometry; "" when it does.
std::string too_many_positions(const ConvGeometry& g);

}  // namespace umbra
