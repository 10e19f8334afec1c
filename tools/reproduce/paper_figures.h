// The figures of the paper and the parts that make what they show.
#pragma once

#include "tools/reproduce/paper.h"

namespace umbra {

/// Adds the parts behind `evaluate` to a plan: the forest's predictions and importances, the table and, if
/// `draws`, the figures.
void add_figures(PaperPlan& plan, const Places& places, bool draws);

}  // namespace umbra
