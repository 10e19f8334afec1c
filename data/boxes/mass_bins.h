// The mass bins of the labels, and their errors.
#pragma once

#include "data/boxes/boxes.h"

namespace umbra {

/// Sets the edges of the mass bins of set.options, the errors sigma of Moustakas et al. (2013) in these bins,
/// and the unit of both. Throws Error if the observations do not cover the bins.
void set_mass_bins(BoxSet& set);

}  // namespace umbra
