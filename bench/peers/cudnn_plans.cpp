#include "bench/peers/cudnn_plans.h"

#include <chrono>
#include <map>
#include <mutex>
#include <set>

#include "bench/peers/convert.h"
#include "bench/peers/peers.h"
#include "bench/peers/timing.h"

namespace umbra {
namespace {

using Extents = std::vector<std::int64_t>;

bool is_flat(const ConvGeometry& g) {
  return g.in[0] == 1 && g.kernel[0] == 1 && g.stride[0] == 1 && g.padding[0] == 0;
}

/// The last two numbers of a flat convolution, all three of another.
Extents spatial(const ConvGeometry& g, const Triple& t) {
  return is_flat(g) ? Extents{t[1], t[2]} : Extents{t[0], t[1], t[2]};
}

// Extents are named [outer, C, D, H, W]; in memory C comes last.
CudnnDescriptor channels_last(std::int64_t name, std::int64_t outer, std::int64_t channels,
                              const Extents& space, DType type) {
  Extents extents{outer, channels}, strides(2 + space.size());
  extents.insert(extents.end(), space.begin(), space.end());
  std::int64_t stride = channels;
  for (std::size_t a = extents.size() - 1; a >= 2; --a) {
    strides[a] = stride;
    stride *= extents[a];
  }
  strides[0] = stride;
  strides[1] = 1;
  CudnnDescriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, name)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type == DType::kBf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16})
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, extents)
      .set(CUDNN_ATTR_TENSOR_STRIDES, strides)
      .finalize();
  return tensor;
}

CudnnDescriptor convolution_of(const ConvGeometry& g) {
  const Extents padding = spatial(g, g.padding);
  CudnnDescriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<std::int64_t>(padding.size()))
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding)
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding)
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, spatial(g, g.stride))
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Extents(padding.size(), 1))
      .finalize();
  return convolution;
}

/// What an operation of each pass and its attributes are called.
struct PassNames {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t x, w, y, convolution, alpha, beta;
};
constexpr PassNames kPassNames[] = {
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA},
};

// One handle per device, never destroyed: the library may be gone before static objects are.
cudnnHandle_t handle_on(Device device) {
  static std::map<int, cudnnHandle_t> handles;
  const auto [place, is_new] = handles.try_emplace(device.index, nullptr);
  if (place->second == nullptr) check_cudnn(cudnn_api().create(&place->second), "cudnnCreate");
  return place->second;
}

/// The three tensors of a problem in cuDNN's layout, full of noise.
struct Operands {
  Operands(const ConvOp& op, ConvPass pass, DType output, Stream& stream) {
    const ConvGeometry& g = op.geometry;
    const std::int64_t counts[] = {g.batch * g.in_volume() * g.in_channels, dense_weights(g),
                                   g.batch * g.out_volume() * g.out_channels};
    const int result = pass == ConvPass::kFprop ? 2 : pass == ConvPass::kDgrad ? 0 : 1;
    for (int i = 0; i < 3; ++i) {
      const DType type = i == result ? output : cudnn_operand(op.precision);
      memory[i] = allocate_storage(stream.device(), static_cast<std::size_t>(counts[i]) * size_of(type));
      fill_noise({memory[i]->data(), type}, counts[i], static_cast<unsigned>(i), stream);
    }
  }
  std::shared_ptr<Storage> memory[3];  // x, w, y
};

/// Tries what is proposed and keeps the best.
class Search {
 public:
  Search(const ConvOp& op, ConvPass pass, FoundPlan& found)
      : op_(op),
        pass_(pass),
        found_(found),
        stream_(current_gpu()),
        scratch_(stream_.device()),
        target_{handle_on(stream_.device()), nullptr} {}

  void run() {
    const bool strict = peer_search() == PeerSearch::kStrict;
    found_.graphs.reserve(2);
    std::vector<DType> outputs{DType::kF32};
    if (op_.precision == Precision::kBf16 && !strict) outputs.push_back(DType::kBf16);
    for (const DType output : outputs) {
      try {
        search(output, strict);
      } catch (const Error& error) {
        last_ = error.what();
      }
      if (strict && !found_.plan.empty()) break;
    }
    describe();
  }

 private:
  void search(DType output, bool strict) {
    const CudnnGraph& graph = found_.graphs.emplace_back(op_, pass_, output, target_);
    const Operands operands(op_, pass_, output, stream_);
    std::set<std::string> seen;
    bool kept = false;
    for (const cudnnBackendHeurMode_t mode :
         {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK}) {
      if (strict && kept) break;
      for (CudnnEngine& engine : cudnn_engines(graph, mode, target_)) {
        if (!seen.insert(engine.name).second || !cudnn_unfit(engine, op_.precision, strict).empty()) continue;
        if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() >
            search_seconds())
          cut_short_ = true;
        if (cut_short_ || (strict && kept)) continue;
        ++proposed_;
        kept = try_engine(std::move(engine), operands, output) || kept;
      }
    }
  }

  // Whether it is the best so far.
  bool try_engine(CudnnEngine engine, const Operands& operands, DType output) {
    try {
      CudnnPlan plan(engine, target_);
      require(plan.workspace <= kMostPeerWorkspace, "the plan wants ", plan.workspace >> 20, " MiB");
      void* const workspace = scratch_.of(std::max<std::size_t>(plan.workspace, 1));
      const double seconds = seconds_per_launch(stream_, found_.seconds, [&] {
        run_cudnn(plan, operands.memory[0]->data(), operands.memory[1]->data(), operands.memory[2]->data(),
                  workspace, stream_);
      });
      ++worked_;
      if (seconds >= found_.seconds) return false;
      found_.seconds = seconds;
      found_.workspace = plan.workspace;
      found_.output = output;
      found_.plan.clear();
      found_.plan.push_back(std::move(plan));
      found_.engines.clear();
      found_.engines.push_back(std::move(engine));
      return true;
    } catch (const Error& error) {
      last_ = error.what();
      return false;
    }
  }

  void describe() {
    if (found_.plan.empty()) {
      found_.text = concat("cuDNN has no plan for it (", proposed_, " proposed",
                           last_.empty() ? "" : concat("; the last: ", last_), ")");
      return;
    }
    found_.text =
        concat("cuDNN ", cudnn_api().version(), ", ", found_.engines[0].name, ", output ",
               name_of(found_.output), ", ", found_.workspace >> 10, " KiB, ",
               peer_search() == PeerSearch::kStrict ? "first" : "best", " of ", worked_, " plans that work, ",
               proposed_, " proposed", cut_short_ ? ", search cut short" : "");
  }

  const ConvOp& op_;
  ConvPass pass_;
  FoundPlan& found_;
  Stream stream_;
  Scratch scratch_;
  CudnnTarget target_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  int proposed_ = 0, worked_ = 0;
  bool cut_short_ = false;
  std::string last_;
};

}  // namespace

CudnnGraph::CudnnGraph(const ConvOp& op, ConvPass pass, DType result, const CudnnTarget& target)
    : output(result) {
  const ConvGeometry& g = op.geometry;
  const PassNames& names = kPassNames[static_cast<int>(pass)];
  const DType operand = cudnn_operand(op.precision);
  const auto type = [&](ConvPass writer) { return pass == writer ? output : operand; };
  x = channels_last(kX, g.batch, g.in_channels, spatial(g, g.in), type(ConvPass::kDgrad));
  w = channels_last(kW, g.out_channels, g.in_channels, spatial(g, g.kernel), type(ConvPass::kWgrad));
  y = channels_last(kY, g.batch, g.out_channels, spatial(g, g.out()), type(ConvPass::kFprop));
  convolution = convolution_of(g);
  operation = CudnnDescriptor(names.operation);
  operation.set(names.x, x)
      .set(names.w, w)
      .set(names.y, y)
      .set(names.convolution, convolution)
      .set(names.alpha, 1.0f)
      .set(names.beta, 0.0f)
      .finalize();
  graph = CudnnDescriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  if (target.handle != nullptr) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target.handle);
  graph.finalize();
}

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
  } catch (const Error&) {  // this mode knows nothing for it
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
  if (engine.has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return "it gives other bits every time";
  for (const auto detour :
       {CUDNN_NUMERICAL_NOTE_FFT, CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4,
        CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13}) {
    if (engine.has(detour)) return "it sums transformed numbers";
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

const FoundPlan& find_cudnn_plan(const ConvOp& op, ConvPass pass) {
  static std::mutex mutex;
  static std::map<std::string, FoundPlan> plans;
  const std::lock_guard<std::mutex> lock(mutex);
  const std::string key = concat(op.name(), ' ', op.geometry, ' ', name_of(op.precision), ' ',
                                 current_gpu().index, ' ', static_cast<int>(peer_search()));
  const auto [place, is_new] = plans.try_emplace(key);
  if (!is_new) return place->second;
  FoundPlan& found = place->second;
  found.seconds = std::numeric_limits<double>::infinity();
  try {
    Search(op, pass, found).run();
  } catch (const Error& error) {  // no memory for the operands, no handle
    found.text = error.what();
  }
  return found;
}

void run_cudnn(const CudnnPlan& plan, void* x, void* w, void* y, void* workspace, Stream& stream) {
  const cudnnHandle_t handle = handle_on(stream.device());
  check_cudnn(cudnn_api().set_stream(handle, static_cast<cudaStream_t>(stream.native())), "cudnnSetStream");
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, Extents{CudnnGraph::kX, CudnnGraph::kW, CudnnGraph::kY})
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, std::vector<void*>{x, w, y})
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace)
      .finalize();
  check_cudnn(cudnn_api().execute(handle, plan.plan.raw(), pack.raw()), "cudnnBackendExecute");
}

}  // namespace umbra
