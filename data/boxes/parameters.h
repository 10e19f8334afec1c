// Parameters of the cubes of a catalog as inputs.
#pragma once

#include <string>
#include <vector>

#include "data/catalogs/catalog.h"
#include "data/tables/expression.h"

namespace umbra {

/// Parses an expression of parameters such as "Omega_m" or "log10(A_SN1)" (data/tables/expression.h). Throws Error,
/// which begins with `where`, for anything else.
Expression parse_parameter(const std::string& text, const std::string& where);

/// The value of an expression for every cube. Names are those of Catalog::box_parameters, in upper or lower case.
/// Throws Error, with the nearest name, when the catalog lacks one, and when a value is not finite.
std::vector<double> parameter_values(const std::string& text, const Catalog& catalog);

}  // namespace umbra
