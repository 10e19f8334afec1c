// Eruptions of the geyser Old Faithful in Yellowstone National Park: the 272 rows of R's data set `faithful`.
// Sources: Härdle 1991, "Smoothing Techniques with Implementation in S", Springer; Azzalini & Bowman 1990,
// "A look at some data on the Old Faithful geyser", Applied Statistics 39, 357-365. The 299 eruptions of the
// latter (August 1985, R's `geyser`) are another, longer set. Durations were recorded in seconds, often as
// multiples of 5 s; the table has them in minutes with three decimals.
#pragma once

#include <span>

namespace umbra {

/// An eruption.
struct Eruption {
  double duration;  ///< of this eruption, in minutes
  double waiting;   ///< from this eruption to the next, in minutes
};

/// The 272 eruptions in the order of the table.
std::span<const Eruption, 272> old_faithful();

}  // namespace umbra
