// How large a catalog is, for estimates of times.
#pragma once

#include <string>

namespace umbra {

/// Seconds that a program takes for a catalog of a few halos, for estimates.
constexpr double kShortest = 0.3;

/// In units of the mock universe of 250 Mpc/h, for which times have been measured.
struct CatalogSize {
  double sub_boxes = 1;  ///< of 25 Mpc/h
  double halos = 1;      ///< rows
};
/// Of a catalog; that of the mock if it cannot be read, which is for the part that needs it to explain.
CatalogSize size_of_catalog(const std::string& file);

}  // namespace umbra
