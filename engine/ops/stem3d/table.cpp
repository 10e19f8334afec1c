#include "engine/ops/stem3d/table.h"

#include "engine/ops/stem3d/reference.h"
#include "engine/ops/stem3d/reference_gram.h"
#include "engine/ops/stem3d/shapes.h"

namespace umbra {

// In cpu_1_lanes.cpp.
std::string stem3d_forward_declines(const Stem3dForward&);
void stem3d_forward_lanes(const Stem3dForward&, Buffers, void*, Stream&);
std::size_t stem3d_forward_workspace(const Stem3dForward&);
std::string stem3d_inference_declines(const Stem3dInference&);
void stem3d_inference_lanes(const Stem3dInference&, Buffers, void*, Stream&);
std::size_t stem3d_inference_workspace(const Stem3dInference&);
std::string stem3d_backward_declines(const Stem3dBackward&);
void stem3d_backward_lanes(const Stem3dBackward&, Buffers, void*, Stream&);
std::size_t stem3d_backward_workspace(const Stem3dBackward&);

namespace {

template <class T>
Kernel forward_reference(DType dtype) {
  return make_kernel<Stem3dForward, stem3d_forward_reference<T>, stem_needs_two_values,
                     stem3d_forward_reference_workspace<T>>("stem3d_forward", "reference", dtype);
}
template <class T>
Kernel forward_gram(DType dtype) {
  return make_kernel<Stem3dForward, stem3d_forward_gram<T>, stem_needs_two_values,
                     stem3d_forward_reference_workspace<T>>("stem3d_forward", "reference_gram", dtype);
}
template <class T>
Kernel inference_reference(DType dtype) {
  return make_kernel<Stem3dInference, stem3d_inference_reference<T>, nullptr,
                     stem3d_inference_reference_workspace<T>>("stem3d_inference", "reference", dtype);
}
template <class T>
Kernel backward_reference(DType dtype) {
  return make_kernel<Stem3dBackward, stem3d_backward_reference<T>, nullptr,
                     stem3d_backward_reference_workspace<T>>("stem3d_backward", "reference", dtype);
}
template <class T>
Kernel backward_gram(DType dtype) {
  return make_kernel<Stem3dBackward, stem3d_backward_gram<T>, nullptr, stem3d_backward_gram_workspace<T>>(
      "stem3d_backward", "reference_gram", dtype);
}

}  // namespace

std::vector<OpFamily> stem3d_families() {
  return {
      {"stem3d_forward",
       {forward_reference<float>(DType::kF32), forward_reference<double>(DType::kF64),
        forward_gram<float>(DType::kF32), forward_gram<double>(DType::kF64),
        make_kernel<Stem3dForward, stem3d_forward_lanes, stem3d_forward_declines, stem3d_forward_workspace>(
            "stem3d_forward", "cpu_1_lanes", DType::kF32)},
       stem3d_forward_problems},
      {"stem3d_inference",
       {inference_reference<float>(DType::kF32), inference_reference<double>(DType::kF64),
        make_kernel<Stem3dInference, stem3d_inference_lanes, stem3d_inference_declines,
                    stem3d_inference_workspace>("stem3d_inference", "cpu_1_lanes", DType::kF32)},
       stem3d_inference_problems},
      {"stem3d_backward",
       {backward_reference<float>(DType::kF32), backward_reference<double>(DType::kF64),
        backward_gram<float>(DType::kF32), backward_gram<double>(DType::kF64),
        make_kernel<Stem3dBackward, stem3d_backward_lanes, stem3d_backward_declines,
                    stem3d_backward_workspace>("stem3d_backward", "cpu_1_lanes", DType::kF32)},
       stem3d_backward_problems},
  };
}

}  // namespace umbra
