// The workspace of the rung cpu_1_lanes; with a null base only its size is counted.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>

#include "engine/ops/shared/workspace_allocator.h"
#include "engine/ops/stem/cpu_1_lanes.h"

namespace umbra {

/// Scratch memory for tasks. A task uses the first free slot, so that a thread gets a slot that is in its
/// cache, and no slot is touched unnecessarily.
class StemSlots {
 public:
  static constexpr std::int64_t kMost = 128;
  static std::int64_t count_for(std::int64_t tasks) { return std::min(tasks, kMost); }
  static std::int64_t floats_of(std::int64_t size) { return (size + 15) / 16 * 16; }

  StemSlots(float* memory, std::int64_t count, std::int64_t size)
      : memory_(memory), count_(count), size_(floats_of(size)) {}

  template <class Body>
  void with(const Body& body) {
    std::int64_t slot = 0;
    while (taken_[static_cast<std::size_t>(slot)].test_and_set(std::memory_order_acquire))
      slot = (slot + 1) % count_;
    body(memory_ + slot * size_);
    taken_[static_cast<std::size_t>(slot)].clear(std::memory_order_release);
  }

 private:
  float* memory_;
  std::int64_t count_, size_;
  std::array<std::atomic_flag, kMost> taken_{};
};

/// The part that forward and inference share.
struct StemPoolingSpace {
  StemPoolingSpace(const StemPlan& plan, WorkspaceAllocator& allocator)
      : segments_most(std::min<std::int64_t>(plan.g.pool_out(0), 4)),
        slots(StemSlots::count_for(plan.groups() * plan.blocks() * segments_most)) {
    const std::int64_t padded = plan.blocks() * kStemBlock;
    boxes = allocator.take<float>(stem_box_floats(plan)).data();
    filters = allocator.take<float>(padded * plan.patch).data();
    sign = allocator.take<float>(padded).data();
    mean = allocator.take<float>(padded).data();
    scale = allocator.take<float>(padded).data();
    beta = allocator.take<float>(padded).data();
    scratch = allocator.take<float>(slots * StemSlots::floats_of(stem_forward_scratch(plan))).data();
  }

  std::int64_t segments_most, slots;
  float *boxes, *filters;
  float *sign, *mean, *scale, *beta;  // of the channels, up to whole blocks
  float* scratch;
};

struct StemForwardSpace {
  StemForwardSpace(const StemPlan& plan, void* memory) : allocator(memory), pooling(plan, allocator) {
    gram.chunks = allocator.take<StemChunk>(plan.chunks()).data();
    gram.pairs = allocator.take<StemPair>(plan.pairs()).data();
    gram.products = allocator.take<double>(kStemRowChunks * plan.pairs() * kStemTile * kStemWide).data();
    gram.sums = allocator.take<double>(kStemRowChunks * plan.chunks() * kStemTaps * kStemWide).data();
  }
  WorkspaceAllocator allocator;
  StemPoolingSpace pooling;
  StemGramSpace gram;
};

struct StemBackwardSpace {
  StemBackwardSpace(const StemPlan& plan, void* memory)
      : allocator(memory), tasks(plan.groups() * plan.blocks()), slots(1), segments(1) {
    constexpr std::int64_t kEnough = 8;  // tasks; fewer are divided along D
    const std::int64_t planes = std::max<std::int64_t>(1, plan.d.live_end - plan.d.live_begin);
    if (tasks < kEnough)
      segments = std::min(planes, std::min<std::int64_t>(4, (kEnough + tasks - 1) / tasks));
    slots = StemSlots::count_for(tasks * segments);
    boxes = allocator.take<float>(stem_box_floats(plan)).data();
    chunks = allocator.take<StemChunk>(plan.chunks()).data();
    patches = allocator.take<double>(tasks * segments * per_task(plan)).data();
    sums = allocator.take<double>(tasks * segments * kStemBlock).data();
    scratch = allocator.take<float>(slots * StemSlots::floats_of(stem_backward_scratch(plan))).data();
  }
  /// The number of parts in which the sums over the winners are computed in parallel: segments of groups.
  std::int64_t parts(const StemPlan& plan) const { return plan.groups() * segments; }
  static std::int64_t per_task(const StemPlan& plan) { return plan.chunks() * kStemBlock * kStemTaps; }

  WorkspaceAllocator allocator;
  std::int64_t tasks, slots, segments;
  float* boxes;
  StemChunk* chunks;
  double* patches;  // [group][segment][block][chunks][10][3]
  double* sums;     // [group][segment][block][10]
  float* scratch;
};

}  // namespace umbra
