// cuDNN's plans for a convolution: the engines that its heuristics propose, and what runs one of them.
#pragma once

#include <string>
#include <vector>

#include "bench/peers/cudnn_graph.h"
#include "engine/runtime/stream.h"

namespace umbra {

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

/// The handle of a device, never destroyed: the library may be gone before static objects are.
cudnnHandle_t cudnn_handle(Device device);

/// Runs a plan on a problem's three tensors, each in cuDNN's layout. Throws Error when cuDNN fails.
void run_cudnn(const CudnnPlan& plan, void* x, void* w, void* y, void* workspace, Stream& stream);

}  // namespace umbra
