// Learning-rate schedules: pure functions of the step, so that resuming needs no state.
#pragma once

#include <cstdint>
#include <vector>

namespace umbra {

/// values[i] holds from step boundaries[i - 1] (0 for the first) up to boundaries[i]; values has one entry
/// more.
double step_schedule(std::int64_t step, const std::vector<std::int64_t>& boundaries,
                     const std::vector<double>& values);

/// Linear warm-up from lr / warmup over `warmup` steps, then lr (1 + cos(pi t)) / 2 down to 0 at `total`
/// steps.
double cosine_schedule(std::int64_t step, std::int64_t total, std::int64_t warmup, double lr);

}  // namespace umbra
