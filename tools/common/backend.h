// Where a run computes: the registry of this build's kernels and peers, and a device that supports the run's
// settings.
#pragma once

#include <string>

#include "engine/tensor/context.h"

namespace umbra {

/// Every kernel and every peer; those named in `preferred` (the setting `kernels`) are preferred.
Registry make_registry_with_peers(const std::string& preferred);

/// `wanted` is auto, cpu, cuda or cuda:N; auto is a GPU if there is one and this build has kernels for it. Of several
/// processes on a machine each has a GPU of its own, as long as there are enough.
/// Throws Error if the device is not available.
Device choose_device(const std::string& wanted, const Registry& registry);

/// Throws Error if the device does not support the precision, so that a run never silently computes in another
/// one. `learns` as in Build.
void check_precision(Precision precision, Device device, bool learns, const Registry& registry);

}  // namespace umbra
