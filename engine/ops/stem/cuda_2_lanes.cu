// Samples in the lanes of a warp, as in the memory order of activations: cuda_2_lanes.h describes how a
// stem is divided, cuda_2_lanes_*.cu implement the parts. This file orders
// the parts.
#include "engine/base/error.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/workspace_allocator.h"
#include "engine/ops/stem/cuda_2_lanes.h"
#include "engine/runtime/backend.h"

namespace umbra {
namespace {

/// The workspace of forward and inference; with a null base it only counts the bytes.
struct PoolingSpace {
  PoolingSpace(const StemView& v, WorkspaceAllocator& allocator)
      : plan(v, stem_shared()), boxes(v, plan.windows) {
    packed = allocator.take<float>(boxes.floats()).data();
  }
  StemPooling plan;
  StemBoxes boxes;
  float* packed;
};

/// Why a block cannot have this much shared memory; "" when it can.
std::string declines_shared(std::int64_t bytes) {
  if (bytes <= stem_shared()) return {};
  return concat("it needs ", bytes, " bytes of shared memory per block, of which there are ", stem_shared());
}

std::string declines_pooling(const StemGeometry& g, bool pools) {
  constexpr std::int64_t kMostBlocks = 65535, kMost = std::int64_t{1} << 30;
  if (g.kernel != Triple{3, 3, 3} || g.stride != Triple{2, 2, 2})
    return "it supports only kernels of 3x3x3 with stride 2";
  if (g.pool != Triple{3, 3, 3} || g.pool_stride != Triple{2, 2, 2})
    return "it supports only poolings of 3x3x3 with stride 2";
  if (g.live_taps() != 27) return "it supports only filters whose taps all touch data";
  if (const std::string large = stem_too_large(g); !large.empty()) return large;
  const StemView v(g);
  const StemPooling plan(v, stem_shared());
  const StemBoxes boxes(v, plan.windows);
  if (boxes.groups > kMostBlocks || g.batch * g.conv_out(0) > kMost || g.in_channels > kMostBlocks)
    return "there are too many samples or input channels";
  if (boxes.floats() / boxes.groups > kMost) return "the boxes are too large";
  if (std::string reason = declines_shared(pools ? plan.bytes(v) : stem_backward_shared()); !reason.empty())
    return reason;
  if (pools && plan.blocks() > kMostBlocks) return "there are too many pooling windows";
  return {};
}

std::string forward_declines(const Stem3dForward& op) {
  if (std::string reason = stem_needs_two_values(op); !reason.empty()) return reason;
  if (std::string reason = declines_pooling(op.geometry, true); !reason.empty()) return reason;
  const StemView v(op.geometry);
  return declines_shared(StemGram(v).bytes(v));
}
std::string inference_declines(const Stem3dInference& op) {
  return declines_pooling(op.geometry, true);
}
std::string backward_declines(const Stem3dBackward& op) {
  return declines_pooling(op.geometry, false);
}

void forward(const Stem3dForward& op, Buffers buffers, void* workspace, Stream& stream) {
  const StemView v(op.geometry);
  const StemGram gram(v);
  WorkspaceAllocator allocator(workspace);
  const PoolingSpace space(v, allocator);
  double* sums = allocator.take<double>(gram.doubles()).data();
  const auto* x = buffers.in(0);        // [N][Cin][D][H][W]
  auto* mu = buffers.out<double>(10);   // [K]
  auto* cov = buffers.out<double>(11);  // [K][K]
  const StemMoments moments{op.epsilon,     op.momentum,    static_cast<double>(v.outputs),
                            buffers.out(4), buffers.out(5), buffers.out(8),
                            buffers.out(9)};
  stem_patch_statistics_cuda(v, gram, x, sums, mu, cov, stream);
  stem_pack_boxes_cuda(v, space.boxes, x, space.packed, stream);
  stem_pool_cuda(v, space.boxes, space.plan,
                 {space.packed, buffers.in(1), buffers.in(2), buffers.in(3), buffers.out(6),
                  buffers.out<std::uint8_t>(7)},
                 {mu, cov, moments, nullptr, nullptr}, stream);
}

void inference(const Stem3dInference& op, Buffers buffers, void* workspace, Stream& stream) {
  const StemView v(op.geometry);
  WorkspaceAllocator allocator(workspace);
  const PoolingSpace space(v, allocator);
  stem_pack_boxes_cuda(v, space.boxes, buffers.in(0), space.packed, stream);
  const StemMoments moments{op.epsilon, 0, 0, nullptr, nullptr, nullptr, nullptr};
  stem_pool_cuda(v, space.boxes, space.plan,
                 {space.packed, buffers.in(1), buffers.in(2), buffers.in(3), buffers.out(6), nullptr},
                 {nullptr, nullptr, moments, buffers.in(4), buffers.in(5)}, stream);
}

void backward(const Stem3dBackward& op, Buffers buffers, void* workspace, Stream& stream) {
  const StemView v(op.geometry);
  const StemBoxes boxes(v, kStemBackwardWindows);
  WorkspaceAllocator allocator(workspace);
  float* packed = allocator.take<float>(boxes.floats()).data();
  float* sums = allocator.take<float>(stem_backward_floats(v)).data();
  stem_pack_boxes_cuda(v, boxes, buffers.in(1), packed, stream);
  const StemGradients gradients{buffers.in(2),  buffers.in(3),         buffers.in(4),
                                buffers.in(5),  buffers.in<double>(7), buffers.in<double>(8),
                                buffers.out(9), buffers.out(10),       buffers.out(11)};
  stem_backward_cuda(v, boxes, packed, buffers.in(0), buffers.in<std::uint8_t>(6), sums, gradients, stream);
}

std::size_t forward_workspace(const Stem3dForward& op) {
  const StemView v(op.geometry);
  WorkspaceAllocator allocator(nullptr);
  const PoolingSpace space(v, allocator);
  allocator.take<double>(StemGram(v).doubles());
  return allocator.used();
}
std::size_t inference_workspace(const Stem3dInference& op) {
  WorkspaceAllocator allocator(nullptr);
  const PoolingSpace space(StemView(op.geometry), allocator);
  return allocator.used();
}
std::size_t backward_workspace(const Stem3dBackward& op) {
  const StemView v(op.geometry);
  WorkspaceAllocator allocator(nullptr);
  allocator.take<float>(StemBoxes(v, kStemBackwardWindows).floats());
  allocator.take<float>(stem_backward_floats(v));
  return allocator.used();
}

}  // namespace

Kernel stem3d_forward_cuda_2_lanes() {
  return make_kernel<Stem3dForward, forward, forward_declines, forward_workspace>();
}
Kernel stem3d_inference_cuda_2_lanes() {
  return make_kernel<Stem3dInference, inference, inference_declines, inference_workspace>();
}
Kernel stem3d_backward_cuda_2_lanes() {
  return make_kernel<Stem3dBackward, backward, backward_declines, backward_workspace>();
}

}  // namespace umbra
