#include "engine/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/error.h"

namespace umbra {

double step_schedule(std::int64_t step, const std::vector<std::int64_t>& boundaries,
                     const std::vector<double>& values) {
  require(values.size() == boundaries.size() + 1, "step schedule: ", boundaries.size(), " boundaries need ",
          boundaries.size() + 1, " values, not ", values.size());
  std::size_t i = 0;
  while (i < boundaries.size() && step >= boundaries[i]) ++i;
  return values[i];
}

double cosine_schedule(std::int64_t step, std::int64_t total, std::int64_t warmup, double lr) {
  if (step < warmup) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const double t =
      static_cast<double>(step - warmup) / static_cast<double>(std::max<std::int64_t>(1, total - warmup));
  return 0.5 * lr * (1 + std::cos(std::numbers::pi * std::min(1.0, t)));
}

}  // namespace umbra
