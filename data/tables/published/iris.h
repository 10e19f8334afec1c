// The iris data of Fisher 1936, "The use of multiple measurements in taxonomic problems", Annals of Eugenics
// 7, 179-188, Table I; measured by E. Anderson. These are the numbers of the paper, as in R and scikit-learn.
// The copy of the UCI repository differs in two flowers of Iris setosa: the 35th, whose petal width is 0.1 cm
// there instead of 0.2 cm, and the 38th, whose sepal width is 3.1 cm instead of 3.6 cm and whose petal length
// is 1.5 cm instead of 1.4 cm.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace umbra {

/// The species, in the order of Iris::species.
inline constexpr std::array<std::string_view, 3> kIrisSpecies{"setosa", "versicolor", "virginica"};
/// What Iris::lengths are, in their order.
inline constexpr std::array<std::string_view, 4> kIrisLengths{"sepal length", "sepal width", "petal length",
                                                              "petal width"};
/// A flower.
struct Iris {
  std::array<double, 4> lengths;  ///< sepal length, sepal width, petal length, petal width, in cm
  int species;                    ///< 0: Iris setosa, 1: Iris versicolor, 2: Iris virginica
};

/// The 150 flowers in the order of the paper: 50 of each species.
std::span<const Iris, 150> iris();

}  // namespace umbra
