#include "models/box_samples.h"

namespace umbra {

MapAndParameters split_parameters(Pass& pass, const Var& x, std::int64_t parameters) {
  if (parameters == 0) return {x, nullptr};
  const std::int64_t channels = x->value.shape()[1] - parameters;
  require(channels > 0, "samples of shape ", x->value.shape(), " have no channels but their ", parameters,
          " parameters");
  const std::vector<Var> parts = split(pass, x, {channels, parameters}, 1);
  return {parts[0], mean_pool(pass, parts[1])};  // the mean of equal numbers
}

Var slices_as_channels(Pass& pass, const Var& map) {
  const Shape& s = map->value.shape();
  return reshape(pass, to_row_major(pass, map), {s[0], s[1] * s[2], s[3], s[4]});
}

}  // namespace umbra
