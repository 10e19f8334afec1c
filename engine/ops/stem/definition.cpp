// The definitions of the stem's ops and the problems on which their rungs are tested and timed: the stem of
// the network, and irregular geometries.
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/stem/reference.h"
#include "engine/ops/stem/reference_gram.h"

namespace umbra {
namespace {

constexpr StemGeometry kGeometries[] = {
    // the stem of the network, with few boxes and with part of a vector of them
    {8, 1, 20, {25, 25, 25}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {33, 1, 3, {11, 11, 11}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {16, 1, 11, {7, 6, 5}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, 1, 17, {25, 25, 25}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {2, 1, 3, {3, 31, 19}, {3, 3, 3}, {2, 2, 2}, {1, 2, 1}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {2, 1, 50, {173, 2, 2}, {3, 3, 3}, {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {3, 2, 10, {6, 5, 9}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {5, 4, 7, {5, 5, 5}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}},
    // only padding around one number; dead taps, not all of them at an end
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
Problems problems_of(DType dtype, const More&... more) {
  Problems problems;
  for (const StemGeometry& geometry : kGeometries)
    problems.push_back(std::make_unique<O>(dtype, geometry, more...));
  return problems;
}
Problems forward_problems(DType dtype) {
  return problems_of<Stem3dForward>(dtype, 1e-5, 0.1);
}
Problems inference_problems(DType dtype) {
  return problems_of<Stem3dInference>(dtype, 1e-5);
}
Problems backward_problems(DType dtype) {
  return problems_of<Stem3dBackward>(dtype);
}

/// `ladder` with the second reference, which follows the algebra of op.h instead of the composition.
template <class O, auto F32, auto F64, auto Declines, auto Workspace>
Ladder with_gram(Ladder ladder) {
  constexpr std::string_view kGram = "reference_gram";
  ladder.kernels.push_back(make_kernel<O, F32, Declines, Workspace>(kGram, DType::kF32));
  ladder.kernels.push_back(make_kernel<O, F64, Declines, Workspace>(kGram, DType::kF64));
  return ladder;
}

}  // namespace

Ladder stem3d_forward_definition() {
  return with_gram<Stem3dForward, stem3d_forward_gram<float>, stem3d_forward_gram<double>,
                   stem_needs_two_values, stem_output_bytes>(
      define_op<Stem3dForward, stem3d_forward_reference<float>, stem3d_forward_reference<double>,
                stem_needs_two_values, stem_output_bytes>(forward_problems));
}

Ladder stem3d_inference_definition() {
  return define_op<Stem3dInference, stem3d_inference_reference<float>, stem3d_inference_reference<double>,
                   nullptr, stem_output_bytes>(inference_problems);
}

Ladder stem3d_backward_definition() {
  return with_gram<Stem3dBackward, stem3d_backward_gram<float>, stem3d_backward_gram<double>, nullptr,
                   stem3d_backward_gram_workspace>(
      define_op<Stem3dBackward, stem3d_backward_reference<float>, stem3d_backward_reference<double>, nullptr,
                stem3d_backward_reference_workspace>(backward_problems));
}

}  // namespace umbra
