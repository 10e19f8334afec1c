// The problems on which the rungs of the stem are tested and timed: the stem of the network, and odd
// geometries.
#pragma once

#include "engine/ops/shape_lists.h"
#include "engine/ops/stem3d/op.h"

namespace umbra {

inline constexpr StemGeometry kStemShapes[] = {
    // the stem of the network, with few boxes and with part of a vector of them
    {8, 1, 20, {25, 25, 25}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {33, 1, 3, {11, 11, 11}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {16, 1, 11, {7, 6, 5}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, 1, 17, {25, 25, 25}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {2, 1, 3, {3, 23, 19}, {3, 3, 3}, {2, 2, 2}, {1, 2, 1}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {2, 1, 50, {173, 2, 2}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {3, 2, 10, {6, 5, 9}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {5, 4, 7, {5, 5, 5}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}},
    // nothing but padding around one number; dead taps, not all of them at an end
    {2, 1, 1, {1, 1, 1}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    {2, 2, 3, {1, 2, 1}, {4, 3, 4}, {2, 2, 2}, {3, 2, 3}, {2, 2, 2}, {1, 1, 1}, {1, 1, 1}},
    {2, 1, 3, {1, 1, 1}, {1, 1, 1}, {2, 2, 2}, {1, 1, 1}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}},  // no live tap
    // no padding: the mean of the data is a mean of every patch
    {4, 1, 5, {9, 8, 7}, {3, 3, 3}, {2, 2, 2}, {0, 0, 0}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, 1, 12, {5, 7, 11}, {2, 4, 5}, {1, 2, 3}, {1, 0, 2}, {1, 2, 3}, {1, 2, 1}, {0, 1, 1}},
    // in two dimensions, as for images
    {2, 3, 21, {1, 21, 18}, {1, 7, 7}, {1, 2, 2}, {0, 3, 3}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
    // strides that skip data, and a pooling that skips planes
    {70, 1, 2, {4, 5, 9}, {1, 1, 2}, {2, 3, 3}, {0, 0, 1}, {1, 1, 2}, {2, 1, 3}, {0, 0, 0}},
    {2, 1, 2, {9, 9, 9}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {5, 4, 3}, {2, 3, 1}, {2, 2, 1}},
};

template <class O, class... More>
Problems problems_of_stems(DType dtype, const More&... more) {
  Problems problems;
  for (const StemGeometry& geometry : kStemShapes)
    problems.push_back(std::make_unique<O>(dtype, geometry, more...));
  return problems;
}

inline Problems stem3d_forward_problems(DType dtype) {
  return problems_of_stems<Stem3dForward>(dtype, 1e-5, 0.1);
}
inline Problems stem3d_inference_problems(DType dtype) {
  return problems_of_stems<Stem3dInference>(dtype, 1e-5);
}
inline Problems stem3d_backward_problems(DType dtype) {
  return problems_of_stems<Stem3dBackward>(dtype);
}

}  // namespace umbra
