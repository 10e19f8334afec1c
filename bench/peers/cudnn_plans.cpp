#include "bench/peers/cudnn_plans.h"

#include <algorithm>
#include <map>

#include "engine/base/error.h"

namespace umbra {

bool CudnnEngine::has(cudnnBackendNumericalNote_t note) const {
  return std::find(notes.begin(), notes.end(), note) != notes.end();
}

std::vector<CudnnEngine> cudnn_engines(const CudnnGraph& graph, cudnnBackendHeurMode_t mode,
                                       const CudnnTarget& target) {
  std::vector<CudnnEngine> engines;
  try {
    CudnnDescriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (target.properties != nullptr) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.properties);
    heuristics.finalize();
    for (CudnnDescriptor& config :
         heuristics.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)) {
      CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
      config.fill(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
      std::string name = concat("engine ", engine.get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
      for (const CudnnDescriptor& knob :
           config.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR)) {
        name +=
            concat(" k", static_cast<int>(knob.get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE)),
                   "=", knob.get<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
      }
      auto notes = engine.list<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                            CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
      engines.push_back({std::move(config), std::move(name), std::move(notes)});
    }
  } catch (const Error&) {  // this mode has no proposal
  }
  return engines;
}

std::string cudnn_unfit(const CudnnEngine& engine, Precision precision, bool strict) {
  if (engine.has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return "its sums are not fp32";
  if (precision != Precision::kBf16 && engine.has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS))
    return "it rounds its operands to fewer bits";
  // Tensor cores take fp32 operands as TF32 only.
  if (precision == Precision::kF32 && engine.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE))
    return "it computes in TF32";
  if (!strict) return {};
  if (engine.has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return "its results are not reproducible";
  for (const auto detour :
       {CUDNN_NUMERICAL_NOTE_FFT, CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4,
        CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13}) {
    if (engine.has(detour)) return "it sums transformed numbers (FFT or Winograd)";
  }
  return {};
}

CudnnPlan::CudnnPlan(const CudnnEngine& engine, const CudnnTarget& target)
    : plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine.config);
  if (target.handle != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
  if (target.properties != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.properties);
  plan.finalize();
  workspace = static_cast<std::size_t>(plan.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
}

cudnnHandle_t cudnn_handle(Device device) {
  static std::map<int, cudnnHandle_t> handles;
  const auto [place, is_new] = handles.try_emplace(device.index, nullptr);
  if (place->second == nullptr) check_cudnn(cudnn_api().create(&place->second), "cudnnCreate");
  return place->second;
}

void run_cudnn(const CudnnPlan& plan, void* x, void* w, void* y, void* workspace, Stream& stream) {
  const cudnnHandle_t handle = cudnn_handle(stream.device());
  check_cudnn(cudnn_api().set_stream(handle, static_cast<cudaStream_t>(stream.native())), "cudnnSetStream");
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
           std::vector<std::int64_t>{CudnnGraph::kX, CudnnGraph::kW, CudnnGraph::kY})
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, std::vector<void*>{x, w, y})
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace)
      .finalize();
  check_cudnn(cudnn_api().execute(handle, plan.plan.raw(), pack.raw()), "cudnnBackendExecute");
}

}  // namespace umbra
