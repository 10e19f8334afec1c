// The input channels of a sub-box, as data.features names them. A feature is one of
//
//   an expression of columns (data/tables/expression.h), e.g. vpeak, log10(mvir) or rmax/vpeak: its mean over
//   the halos of a voxel. is_satellite (1 if upid is not -1, else 0) counts as a column
//   residual(q), where q is an expression: the mean over the halos of a voxel of
//
//       log10 q - (a + b w + c w^2),  w = log10(vpeak / 200 km/s)
//
//   occupancy: 1 where a voxel holds a halo
//   count: the number of halos in a voxel
//   neighbours(r), in lists of halos only: log10(1 + the number of other halos of the list within r Mpc/h)
//
// Only halos above the cut in vpeak count; a voxel without any is 0. a, b and c are fitted to the halos of the
// training boxes (fit_references) and belong to a run: they describe the relation of the catalog it was trained
// on, so that a residual has the same meaning in every catalog.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/catalogs/catalog.h"
#include "data/tables/expression.h"

namespace umbra {

/// An input channel.
struct Feature {
  /// What a voxel has.
  enum class Kind {
    kMean,       ///< the mean of `value` over its halos
    kResidual,   ///< the mean of log10 of `value` minus the reference
    kCount,      ///< the number of its halos
    kNeighbours  ///< in a list of halos, log10(1 + the number of others within `radius`)
  };
  Kind kind;          ///< of this feature
  Expression value;   ///< of a halo
  double radius = 0;  ///< Mpc/h, of kNeighbours
};

/// The feature that is 1 for a satellite and 0 for a central halo.
inline constexpr std::string_view kSatellite = "is_satellite";

/// Parses a feature. Throws Error, which begins with `where`, for anything else, with the nearest name.
Feature parse_feature(const std::string& text, const std::string& where);

/// The vpeak in km/s at which w is 0.
inline constexpr double kReferenceVpeak = 200;
/// The coefficients of a reference relation: a, b, c.
inline constexpr std::size_t kReferenceNumbers = 3;
/// The numbers of the reference relations of `features`: kReferenceNumbers for each residual.
std::size_t reference_numbers(std::span<const Feature> features);

/// The columns of a catalog that `features` need.
std::set<std::string> columns_of(std::span<const Feature> features);
/// Throws Error with the columns present when `catalog` lacks one of them.
void check_columns_of(const Feature& feature, const Catalog& catalog);

/// The value of a feature for every halo (row) of `catalog`; 1 for kCount and kNeighbours. `reference`: a, b, c
/// of a residual.
std::vector<double> halo_values(const Feature& feature, const Catalog& catalog,
                                std::span<const double> reference);
/// For a message about a halo: "mvir 0, vpeak 231.5".
std::string halo_text(const Feature& feature, const Catalog& catalog, std::size_t row);

/// Fits y = a + b w + c w^2 by Huber's robust regression: reweighted least squares from an unweighted start,
/// with weights min(1, 1.345 s / |residual|), s = 1.4826 median |residual|. The result depends on the order of
/// the points and nothing else. Coefficients that the points do not determine are 0; without points, all are.
std::vector<double> fit_reference(std::span<const double> w, std::span<const double> y);

}  // namespace umbra
