// The gradient of the biases of a fully connected layer on a GPU, for rungs whose product does not compute
// it.
#pragma once

#include "engine/ops/matmul/op.h"
#include "engine/runtime/stream.h"

namespace umbra {

/// db [out] = sum over the rows of dy [rows, out], unrounded.
void launch_column_sums(const LinearWgrad& op, const float* dy, float* db, Stream& stream);

}  // namespace umbra
