#include "bench/peers/cublaslt_products.h"

#include <cublasLt.h>

#include <chrono>
#include <map>
#include <mutex>
#include <vector>

#include "bench/peers/convert.h"
#include "bench/peers/library.h"
#include "bench/peers/peers.h"
#include "bench/peers/timing.h"
#include "engine/runtime/storage.h"

namespace umbra {
namespace {

struct CublasLtApi {
  std::string missing;
  decltype(&cublasLtGetVersion) version;
  decltype(&cublasLtGetStatusString) status_string;
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtMatmulDescCreate) create_product;
  decltype(&cublasLtMatmulDescDestroy) destroy_product;
  decltype(&cublasLtMatmulDescSetAttribute) set_product;
  decltype(&cublasLtMatrixLayoutCreate) create_layout;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic;
  decltype(&cublasLtMatmulAlgoConfigGetAttribute) algorithm_attribute;
  decltype(&cublasLtMatmul) multiply;
};

const CublasLtApi& api() {
  static const CublasLtApi loaded = [] {
    Library library({"libcublasLt.so.13", "libcublasLt.so.12"});
    CublasLtApi a{};
    library.find("cublasLtGetVersion", a.version);
    library.find("cublasLtGetStatusString", a.status_string);
    library.find("cublasLtCreate", a.create);
    library.find("cublasLtMatmulDescCreate", a.create_product);
    library.find("cublasLtMatmulDescDestroy", a.destroy_product);
    library.find("cublasLtMatmulDescSetAttribute", a.set_product);
    library.find("cublasLtMatrixLayoutCreate", a.create_layout);
    library.find("cublasLtMatrixLayoutDestroy", a.destroy_layout);
    library.find("cublasLtMatmulPreferenceCreate", a.create_preference);
    library.find("cublasLtMatmulPreferenceDestroy", a.destroy_preference);
    library.find("cublasLtMatmulPreferenceSetAttribute", a.set_preference);
    library.find("cublasLtMatmulAlgoGetHeuristic", a.heuristic);
    library.find("cublasLtMatmulAlgoConfigGetAttribute", a.algorithm_attribute);
    library.find("cublasLtMatmul", a.multiply);
    a.missing = library.missing();
    return a;
  }();
  return loaded;
}

void check(cublasStatus_t status, const char* call) {
  require(status == CUBLAS_STATUS_SUCCESS, "cuBLASLt: ", call, " failed: ", api().status_string(status));
}

// One handle per device, never destroyed: the library may be unloaded before static objects are destroyed.
cublasLtHandle_t handle_on(Device device) {
  static std::map<int, cublasLtHandle_t> handles;
  const auto [place, is_new] = handles.try_emplace(device.index, nullptr);
  if (place->second == nullptr) check(api().create(&place->second), "cublasLtCreate");
  return place->second;
}

/// cuBLASLt's description of a matrix with contiguous columns.
class MatrixLayout {
 public:
  MatrixLayout(DType type, std::int64_t rows, std::int64_t columns) {
    check(api().create_layout(&raw_, type == DType::kBf16 ? CUDA_R_16BF : CUDA_R_32F,
                              static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), rows),
          "cublasLtMatrixLayoutCreate");
  }
  ~MatrixLayout() { api().destroy_layout(raw_); }
  MatrixLayout(const MatrixLayout&) = delete;
  MatrixLayout& operator=(const MatrixLayout&) = delete;
  cublasLtMatrixLayout_t raw() const { return raw_; }

 private:
  cublasLtMatrixLayout_t raw_ = nullptr;
};

class ProductDescription {
 public:
  explicit ProductDescription(const Product& p) {
    const bool tf32 = p.precision == Precision::kTf32;
    check(api().create_product(&raw_, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
          "cublasLtMatmulDescCreate");
    const cublasOperation_t a = p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t b = p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    set(CUBLASLT_MATMUL_DESC_TRANSA, a);
    set(CUBLASLT_MATMUL_DESC_TRANSB, b);
    if (p.bias) set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    if (p.bias) set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F);
  }
  ~ProductDescription() { api().destroy_product(raw_); }
  ProductDescription(const ProductDescription&) = delete;
  ProductDescription& operator=(const ProductDescription&) = delete;
  template <class T>
  void set(cublasLtMatmulDescAttributes_t name, const T& value) const {
    check(api().set_product(raw_, name, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  }
  cublasLtMatmulDesc_t raw() const { return raw_; }

 private:
  cublasLtMatmulDesc_t raw_ = nullptr;
};

class Preference {
 public:
  Preference() {
    check(api().create_preference(&raw_), "cublasLtMatmulPreferenceCreate");
    const std::uint64_t most = kMostPeerWorkspace;
    check(api().set_preference(raw_, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most),
          "cublasLtMatmulPreferenceSetAttribute");
  }
  ~Preference() { api().destroy_preference(raw_); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  cublasLtMatmulPreference_t raw() const { return raw_; }

 private:
  cublasLtMatmulPreference_t raw_ = nullptr;
};

std::string name_of_algorithm(const cublasLtMatmulAlgo_t& algorithm) {
  const auto attribute = [&](cublasLtMatmulAlgoConfigAttributes_t name) {
    std::int32_t value = -1;
    std::size_t written = 0;
    const auto status = api().algorithm_attribute(&algorithm, name, &value, sizeof value, &written);
    return status == CUBLAS_STATUS_SUCCESS ? value : -1;
  };
  return concat("algorithm ", attribute(CUBLASLT_ALGO_CONFIG_ID), " tile ",
                attribute(CUBLASLT_ALGO_CONFIG_TILE_ID), " stages ",
                attribute(CUBLASLT_ALGO_CONFIG_STAGES_ID), " split-k ",
                attribute(CUBLASLT_ALGO_CONFIG_SPLITK_NUM));
}

}  // namespace

struct FoundProduct {
  explicit FoundProduct(const Product& p)
      : product(p),
        description(p),
        a(p.operand(), p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k),
        b(p.operand(), p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n),
        d(DType::kF32, p.m, p.n) {}
  Product product;
  ProductDescription description;
  MatrixLayout a, b, d;
  std::vector<cublasLtMatmulHeuristicResult_t> chosen;  // one, or none
  double seconds = std::numeric_limits<double>::infinity();
  std::string text;
};

namespace {

void run_with(const FoundProduct& f, const cublasLtMatmulAlgo_t& algorithm, std::size_t workspace_bytes,
              const void* a, const void* b, const void* bias, void* d, void* workspace, Stream& stream) {
  const float alpha = 1, beta = 0;
  if (f.product.bias) f.description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  check(api().multiply(handle_on(stream.device()), f.description.raw(), &alpha, a, f.a.raw(), b, f.b.raw(),
                       &beta, d, f.d.raw(), d, f.d.raw(), &algorithm, workspace, workspace_bytes,
                       static_cast<cudaStream_t>(stream.native())),
        "cublasLtMatmul");
}

// Times the algorithms that the heuristics propose; the strict search keeps the first that works.
void search(FoundProduct& f) {
  constexpr int kMost = 512;
  const Product& p = f.product;
  Stream stream(current_gpu());
  std::vector<cublasLtMatmulHeuristicResult_t> results(kMost);
  int count = 0;
  const cublasStatus_t status =
      api().heuristic(handle_on(stream.device()), f.description.raw(), f.a.raw(), f.b.raw(), f.d.raw(),
                      f.d.raw(), Preference().raw(), kMost, results.data(), &count);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED)
    count = 0;
  else
    check(status, "cublasLtMatmulAlgoGetHeuristic");
  const std::size_t size = size_of(p.operand());
  const auto memory = [&](std::int64_t elements, std::size_t bytes) {
    return allocate_storage(stream.device(), static_cast<std::size_t>(elements) * bytes);
  };
  const auto a = memory(p.m * p.k, size), b = memory(p.n * p.k, size), d = memory(p.m * p.n, sizeof(float));
  const auto bias = memory(p.m, sizeof(float));
  fill_noise({a->data(), p.operand()}, p.m * p.k, 1, stream);
  fill_noise({b->data(), p.operand()}, p.n * p.k, 2, stream);
  fill_noise({bias->data(), DType::kF32}, p.m, 3, stream);
  Scratch scratch(stream.device());
  const auto start = std::chrono::steady_clock::now();
  int worked = 0;
  bool cut_short = false;
  std::string last;
  for (int i = 0; i < count; ++i) {
    const cublasLtMatmulHeuristicResult_t& r = results[static_cast<std::size_t>(i)];
    if (r.state != CUBLAS_STATUS_SUCCESS || r.workspaceSize > kMostPeerWorkspace) continue;
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > search_seconds())
      cut_short = true;
    if (cut_short || (peer_search() == PeerSearch::kStrict && worked > 0)) break;
    try {
      void* const workspace = scratch.of(std::max<std::size_t>(r.workspaceSize, 1));
      const double seconds = seconds_per_launch(stream, f.seconds, [&] {
        run_with(f, r.algo, r.workspaceSize, a->data(), b->data(), bias->data(), d->data(), workspace,
                 stream);
      });
      ++worked;
      if (seconds >= f.seconds) continue;
      f.seconds = seconds;
      f.chosen = {r};
    } catch (const Error& error) {
      last = error.what();
    }
  }
  f.text = f.chosen.empty()
               ? concat("cuBLASLt has no algorithm for it (", count, " proposed",
                        last.empty() ? "" : concat("; the last: ", last), ")")
               : concat("cuBLASLt ", api().version(), ", ", name_of_algorithm(f.chosen[0].algo),
                        ", output f32, ", f.chosen[0].workspaceSize >> 10, " KiB, ",
                        peer_search() == PeerSearch::kStrict ? "first" : "best", " of ", worked,
                        " algorithms that work, ", count, " proposed", cut_short ? ", search cut short" : "");
}

}  // namespace

std::string Product::text() const {
  return concat(m, 'x', n, 'x', k, ' ', transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', ' ',
                name_of(precision), bias ? " bias" : "");
}

std::string cublaslt_missing() {
  return api().missing;
}

const FoundProduct& find_product(const Product& product) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<FoundProduct>> kept;
  const std::lock_guard<std::mutex> lock(mutex);
  auto& place = kept[concat(product.text(), ' ', current_gpu().index, ' ', static_cast<int>(peer_search()))];
  if (place != nullptr) return *place;
  auto found = std::make_unique<FoundProduct>(product);
  try {
    search(*found);
  } catch (const Error& error) {  // no memory for the operands, no handle
    found->text = error.what();
  }
  place = std::move(found);
  return *place;
}

bool found_any(const FoundProduct& found) {
  return !found.chosen.empty();
}
const std::string& text_of(const FoundProduct& found) {
  return found.text;
}
std::size_t workspace_of(const FoundProduct& found) {
  return found.chosen.empty() ? 0 : found.chosen[0].workspaceSize;
}

void run_product(const FoundProduct& found, const void* a, const void* b, const void* bias, void* d,
                 void* workspace, Stream& stream) {
  require(found_any(found), found.text);
  run_with(found, found.chosen[0].algo, found.chosen[0].workspaceSize, a, b, bias, d, workspace, stream);
}

}  // namespace umbra
