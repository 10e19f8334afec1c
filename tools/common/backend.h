// Where a run computes: the kernels of this build with the libraries it may be measured against, and a device
// that has what the run asks for.
#pragma once

#include <string>

#include "engine/tensor/context.h"

namespace umbra {

/// Every kernel and every peer, those that `preferred` names (the setting `kernels`) in front.
Registry make_registry_with_peers(const std::string& preferred);

/// `wanted` is auto, cpu, cuda or cuda:N; auto is a GPU where this build has kernels for one. Throws Error when
/// it cannot be had.
Device choose_device(const std::string& wanted, const Registry& registry);

/// What cannot be had is refused: a run never computes in another precision than it was told to. `learns` as
/// in Build.
void check_precision(Precision precision, Device device, bool learns, const Registry& registry);

}  // namespace umbra
