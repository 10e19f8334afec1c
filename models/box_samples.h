// How networks read the samples of boxes, whose last channels are the parameters of the box
// (SampleShape::parameters).
#pragma once

#include "engine/grad/functions.h"

namespace umbra {

/// Samples without the channels of their parameters, and the parameters.
struct MapAndParameters {
  Var map,         ///< [N, channels - parameters, S…]
      parameters;  ///< [N, parameters]; null when there are none
};

/// The two parts of samples x [N, channels, S…], which are data, and whose last `parameters` channels are each
/// constant over the positions. Throws Error when x has fewer channels.
MapAndParameters split_parameters(Pass& pass, const Var& x, std::int64_t parameters);

/// Cubes [N, channels, V, V, V] as images [N, channels V, V, V]: slice i of channel c along the first axis is
/// channel c V + i.
Var slices_as_channels(Pass& pass, const Var& map);

}  // namespace umbra
