// The conversion of a number of galaxies to a label, shared so that plain and shifted boxes agree bit for
// bit.
#pragma once

#include <cstdint>

#include "data/boxes/boxes.h"

namespace umbra {

/// `galaxies` in one mass bin of one sub-box as a number density in the unit of BoxSet::smf_unit.
inline float smf_label(std::int64_t galaxies, const BoxOptions& options) {
  const double volume = options.subbox_size * options.subbox_size * options.subbox_size;  // (Mpc/h)^3
  const double density = static_cast<double>(galaxies) / volume;
  return static_cast<float>(options.per_dex ? density / options.smf_width : density);
}

}  // namespace umbra
