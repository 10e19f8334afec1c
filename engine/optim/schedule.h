// Learning-rate schedules. They are pure functions of the step, so that resuming needs no state.
#pragma once

#include <cstdint>
#include <vector>

namespace umbra {

/// Piecewise constant: values[i] from step boundaries[i - 1] (0 for the first) to just before boundaries[i].
/// Throws Error unless `values` has one entry more than `boundaries`.
double step_schedule(std::int64_t step, const std::vector<std::int64_t>& boundaries,
                     const std::vector<double>& values);

/// Linear warm-up from lr / warmup to lr over `warmup` steps, then lr (1 + cos(pi t)) / 2, where t rises
/// linearly to 1 at step `total` (cosine annealing, Loshchilov & Hutter 2016). 0 after that.
double cosine_schedule(std::int64_t step, std::int64_t total, std::int64_t warmup, double lr);

}  // namespace umbra
