// cuDNN's plans for a convolution: the operation as a graph of one node, the engines that its heuristics
// propose for it, and the search for the fastest.
#pragma once

#include <string>
#include <vector>

#include "bench/peers/cudnn_api.h"
#include "engine/ops/conv/op.h"
#include "engine/runtime/stream.h"

namespace umbra {

/// For what cuDNN plans: a GPU (its handle), or the properties of one that need not be there.
struct CudnnTarget {
  cudnnHandle_t handle = nullptr;
  const CudnnDescriptor* properties = nullptr;
};

enum class ConvPass { kFprop, kDgrad, kWgrad };

/// The operation and its tensors: x and y (or their slopes) [N, D, H, W, C] in memory, w [K, T, R, S, C]; [N,
/// H, W, C] and [K, R, S, C] where the first axis is trivial. Alpha 1, beta 0, sums in fp32.
struct CudnnGraph {
  static constexpr std::int64_t kX = 'x', kW = 'w', kY = 'y';  // the tensors' names

  CudnnGraph(const ConvOp& op, ConvPass pass, DType output, const CudnnTarget& target);
  DType output;
  CudnnDescriptor x, w, y, convolution, operation, graph;
};

/// An engine with its knobs set.
struct CudnnEngine {
  CudnnDescriptor config;
  std::string name;  // "engine 45 k2=3 k13=1"
  std::vector<cudnnBackendNumericalNote_t> notes;
  bool has(cudnnBackendNumericalNote_t note) const;
};

/// What the heuristics of `mode` propose, likeliest first; nothing when they know none.
std::vector<CudnnEngine> cudnn_engines(const CudnnGraph& graph, cudnnBackendHeurMode_t mode,
                                       const CudnnTarget& target);
/// Why results of this engine are not what `precision` means, or not what a test can compare when `strict`;
/// "" when they are.
std::string cudnn_unfit(const CudnnEngine& engine, Precision precision, bool strict);

/// An engine made ready for a device. Throws Error when it cannot do the problem.
struct CudnnPlan {
  CudnnPlan(const CudnnEngine& engine, const CudnnTarget& target);
  CudnnDescriptor plan;
  std::size_t workspace;
};

/// What a search found.
struct FoundPlan {
  std::vector<CudnnGraph> graphs;    // that the plans were made of
  std::vector<CudnnEngine> engines;  // kept as long as the plan
  std::vector<CudnnPlan> plan;       // one, or none
  DType output = DType::kF32;        // of the result in memory
  std::size_t workspace = 0;
  double seconds = 0;
  std::string text;  // what was chosen, and from how many; or why there is none
};

/// The plan for `op` on the current device, found by the first call for the problem and kept (peers.h:
/// PeerSearch).
const FoundPlan& find_cudnn_plan(const ConvOp& op, ConvPass pass);

/// Runs a plan on a problem's three tensors, each in cuDNN's layout. Throws Error when cuDNN fails.
void run_cudnn(const CudnnPlan& plan, void* x, void* w, void* y, void* workspace, Stream& stream);

/// Elements of cuDNN's kernel, dead taps included.
inline std::int64_t dense_weights(const ConvGeometry& g) {
  return g.taps() * g.in_channels * g.out_channels;
}
/// What the operands stand in memory as for cuDNN.
inline DType cudnn_operand(Precision precision) {
  return precision == Precision::kBf16 ? DType::kBf16 : DType::kF32;
}

}  // namespace umbra
