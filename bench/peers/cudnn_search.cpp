#include "bench/peers/cudnn_search.h"

#include <chrono>
#include <limits>
#include <map>
#include <mutex>
#include <set>

#include "bench/peers/convert.h"
#include "bench/peers/peers.h"
#include "bench/peers/timing.h"

namespace umbra {
namespace {

/// The three tensors of a problem in cuDNN's layout, filled with noise.
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

/// Tries the proposed engines and keeps the best.
class Search {
 public:
  Search(const ConvOp& op, ConvPass pass, FoundPlan& found)
      : op_(op),
        pass_(pass),
        found_(found),
        stream_(current_gpu()),
        scratch_(stream_.device()),
        target_{cudnn_handle(stream_.device()), nullptr} {}

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

  // Returns whether it is the best so far.
  bool try_engine(CudnnEngine engine, const Operands& operands, DType output) {
    try {
      CudnnPlan plan(engine, target_);
      require(plan.workspace <= kMostPeerWorkspace, "the plan needs ", plan.workspace >> 20, " MiB");
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

}  // namespace umbra
