// The part of the Transform that is of lists of halos.
#pragma once

#include "models/tasks/smf/transform.h"

namespace umbra {

/// Fits what standardises the features of lists over the halos of the training boxes, what standardises the numbers that
/// a list has once over the boxes, the longest list, and the background.
void list_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train, const SmfSettings& settings,
                 Transform& transform);
/// scale_inputs() of lists.
void scale_lists(BoxSet& boxes, const Transform& transform);

}  // namespace umbra
