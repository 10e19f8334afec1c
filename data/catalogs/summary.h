// A summary of a catalog as text.
#pragma once

#include <string>

#include "data/catalogs/catalog.h"

namespace umbra {

/// Several lines of text: cubes, rows, columns, halos with vpeak >= 150 km/s per cube, cubes without any, and
/// the mean number of galaxies per cube in 14 bins of 0.1 dex from log10 M*/Msun = 10.2 (where there are
/// stellar masses).
std::string summary(const Catalog& catalog);

}  // namespace umbra
