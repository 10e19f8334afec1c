// The rule for the size of sub-boxes. A divisor of a box is its side over a whole number.
#include <algorithm>
#include <cmath>

#include "data/boxes/boxes.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr double kFewest = 16;  // sub-boxes of a catalog: 13 to train on and 3 to validate on

// The divisor nearest to the usual size that gives enough sub-boxes.
double nearest_size(const Catalog& catalog) {
  const double side = catalog.box_size, cubes = static_cast<double>(catalog.boxes);
  double fewest = 1;  // along a side
  while (cubes * fewest * fewest * fewest < kFewest) ++fewest;
  // The two divisors around the usual size; the others are further away.
  const double whole = std::floor(side / kUsualSubboxSize);
  const double larger = side / std::max(whole, fewest), smaller = side / std::max(whole + 1, fewest);
  return std::abs(larger - kUsualSubboxSize) <= std::abs(smaller - kUsualSubboxSize) ? larger : smaller;
}

double default_size(const Catalog& catalog) {
  return sub_boxes_fill(catalog.box_size, kUsualSubboxSize) ? kUsualSubboxSize : nearest_size(catalog);
}

std::int64_t count(const Catalog& catalog, double size) {
  const std::int64_t per_side = std::llround(catalog.box_size / size);
  return catalog.boxes * per_side * per_side * per_side;
}

std::string words_to_add(const Catalog& catalog, const std::string& option, double size) {
  return concat("add ", option, size, " (", count(catalog, size), " sub-boxes)");
}

}  // namespace

bool sub_boxes_fill(double box_size, double size) {
  const double ratio = box_size / size, whole = std::round(ratio);
  return whole >= 1 && std::abs(ratio - whole) < 1e-6 * whole;
}

SubboxSize choose_subbox_size(const Catalog& catalog, const Auto<double>& wanted, const std::string& where,
                              const std::string& option) {
  const double size = wanted.number.value_or(default_size(catalog));
  const std::string why =
      concat("sub-boxes of ", wanted.number.value_or(kUsualSubboxSize), " Mpc/h do not divide the ",
             catalog.boxes > 1 ? "cubes" : "box", " of ", catalog.box_size, " Mpc/h");
  require(sub_boxes_fill(catalog.box_size, size), where, ": ", why, "; ",
          words_to_add(catalog, option, default_size(catalog)));
  if (wanted.number || size == kUsualSubboxSize) return {size, ""};
  return {size, concat(option, size, " (", count(catalog, size), " sub-boxes): ", why)};
}

void require_several_sub_boxes(const Catalog& catalog, double size, const std::string& where,
                               const std::string& option) {
  require(count(catalog, size) > 1, where, ": one sub-box of ", size,
          " Mpc/h cannot both train and validate; ", words_to_add(catalog, option, nearest_size(catalog)));
}

}  // namespace umbra
