// Asynchronous copies for the host; engine/cuda/device/tma.h documents the functions. A tensor map that
// violates a rule is refused, as the driver refuses it.
#pragma once

#include <cstdint>

#include "cuda_grid.h"
#include "engine/cuda/emulator/async.h"
#include "engine/cuda/tile/tensor_map_spec.h"
#include "mbarrier.h"

namespace umbra {

struct TensorMap {
  emulator::Box box;
};

inline TensorMap tensor_map(const TensorMapSpec& spec) {
  TensorMap map{{spec.data, spec.element_bytes, spec.rank, {}, {}, {}, spec.swizzle}};
  for (int d = 0; d < 5; ++d) {
    map.box.extent[d] = spec.extent[d];
    map.box.box[d] = spec.box[d];
    if (d > 0) map.box.pitch[d - 1] = spec.pitch[d - 1];
  }
  try {
    emulator::check_box(map.box);
  } catch (const Error& error) {
    refuse_tensor_map(spec, error.what());
  }
  return map;
}

inline void tma_prefetch(const TensorMap&) {}

template <class... Coordinates>
void tma_load(void* shared, const TensorMap& map, Barrier& barrier, Coordinates... coordinates) {
  constexpr int kRank = sizeof...(coordinates);
  static_assert(kRank >= 2 && kRank <= 5);
  const int at[] = {static_cast<int>(coordinates)...};
  emulator::copy_box(shared, map.box, &barrier, 0, at, kRank);
}

template <class... Coordinates>
void tma_load_multicast(void* shared, const TensorMap& map, Barrier& barrier, std::uint16_t mask,
                        Coordinates... coordinates) {
  constexpr int kRank = sizeof...(coordinates);
  static_assert(kRank >= 2 && kRank <= 5);
  const int at[] = {static_cast<int>(coordinates)...};
  emulator::copy_box(shared, map.box, &barrier, mask, at, kRank);
}

inline void bulk_load(void* shared, const void* global, unsigned bytes, Barrier& barrier) {
  emulator::copy_bytes(shared, global, bytes, &barrier);
}

}  // namespace umbra
