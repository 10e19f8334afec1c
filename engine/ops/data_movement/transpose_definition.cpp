// The definition of transpose and the problems on which its rungs are tested and timed: boxes, rows of the
// head, layers, images, and irregular shapes.
#include "engine/ops/data_movement/transpose_reference.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {
namespace {

Problems problems(DType dtype) {
  constexpr ChannelShape kShapes[] = {{32, 1, 3375}, {64, 3, 1024}, {32, 200, 64}, {32, 320, 1},
                                      {33, 2, 65},   {1, 5, 77},    {200, 1, 31},  {16, 16, 16},
                                      {17, 1, 17},   {15, 3, 47},   {130, 4, 130}, {0, 3, 5}};
  Problems list;
  for (TransposeTo to : {TransposeTo::kBatchLast, TransposeTo::kSampleFirst}) {
    const auto add = [&](const ChannelShape& s) {
      list.push_back(std::make_unique<Transpose>(dtype, to, s.batch, s.channels, s.volume));
    };
    for (const ChannelShape& s : kShapes) add(s);
    for (const ChannelShape& s : kChannelShapes) add(s);
  }
  return list;
}

}  // namespace

Ladder transpose_definition() {
  return define_op<Transpose, transpose_reference<float>, transpose_reference<double>>(problems);
}

}  // namespace umbra
