// cuDNN's plans for a convolution: the engines that its heuristics propose, and running a plan.
#pragma once

#include <string>
#include <vector>

#include "bench/peers/cudnn_graph.h"
#include "engine/runtime/stream.h"

namespace umbra {

/// An engine with the settings of its knobs.
struct CudnnEngine {
  CudnnDescriptor config;
  std::string name;  // "engine 45 k2=3 k13=1"
  std::vector<cudnnBackendNumericalNote_t> notes;
  bool has(cudnnBackendNumericalNote_t note) const;
};

/// The engines that the heuristics of `mode` propose, likeliest first; may be empty.
std::vector<CudnnEngine> cudnn_engines(const CudnnGraph& graph, cudnnBackendHeurMode_t mode,
                                       const CudnnTarget& target);
/// Why results of this engine do not have the precision `precision` or, if `strict`, cannot be compared in a
/// test; "" otherwise.
std::string cudnn_unfit(const CudnnEngine& engine, Precision precision, bool strict);

/// An engine prepared for a device. Throws Error if it does not support the problem.
struct CudnnPlan {
  CudnnPlan(const CudnnEngine& engine, const CudnnTarget& target);
  CudnnDescriptor plan;
  std::size_t workspace;
};

/// The handle of a device, never destroyed: the library may be unloaded before static objects are destroyed.
cudnnHandle_t cudnn_handle(Device device);

/// Runs a plan on a problem's three tensors, each in cuDNN's layout. Throws Error if cuDNN fails.
void run_cudnn(const CudnnPlan& plan, void* x, void* w, void* y, void* workspace, Stream& stream);

}  // namespace umbra
