// cuBLASLt's product as a rung of the fully connected layer, and as a yardstick for convolutions. Operands
// are copied into the workspace and rounded to the op's precision, so that all addresses have the alignment
// that fast algorithms require; results are copied back.
//
// umbra's matrix [a][b] is a column-major b x a matrix for cuBLAS:
//   fprop  y^T  = w  x^T    (out x rows, sums over in):  A = w^T stored, B = x^T stored
//   dgrad  dx^T = w^T dy^T  (in x rows, sums over out)
//   wgrad  dw^T = x^T dy    (in x out, sums over rows)
#include <cmath>

#include "bench/peers/convert.h"
#include "bench/peers/cublaslt_products.h"
#include "bench/peers/gpu_peers.h"
#include "bench/peers/workspace.h"
#include "engine/base/error.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/matmul/op.h"

namespace umbra {
namespace {

Product product_of(const LinearFprop& op) {
  return {op.out, op.rows, op.in, true, false, op.precision, op.bias};
}
Product product_of(const LinearDgrad& op) {
  return {op.in, op.rows, op.out, false, false, op.precision};
}
Product product_of(const LinearWgrad& op) {
  return {op.in, op.out, op.rows, false, true, op.precision};
}

/// A, B, the bias and D of a product, and the workspace of its algorithm.
struct Layout {
  Layout(const Product& p, void* base) : pieces(base) {
    a = {pieces.take(p.m * p.k, p.operand()), p.operand()};
    b = {pieces.take(p.n * p.k, p.operand()), p.operand()};
    bias = {pieces.take(p.bias ? p.m : 0, DType::kF32), DType::kF32};
    d = {pieces.take(p.m * p.n, DType::kF32), DType::kF32};
    scratch = pieces.take_bytes(workspace_of(find_product(p)));
  }
  Pieces pieces;
  Matrix a, b, bias, d;
  void* scratch;
};

void multiply(const Product& p, void* base, Stream& stream) {
  const FoundProduct& found = find_product(p);
  require(found_any(found), text_of(found));
  const Layout at(p, base);
  run_product(found, at.a.data, at.b.data, at.bias.data, at.d.data, at.scratch, stream);
}

template <class O>
std::string rules_out(const O& op) {
  if (std::string why = cublaslt_missing(); !why.empty()) return why;
  if constexpr (std::is_same_v<O, LinearWgrad>) {
    if (op.bias) return "it does not compute the sum of dy for the bias";
  }
  return {};
}

template <class O>
std::string declines(const O& op) {
  std::string why = rules_out(op);
  if (!why.empty()) return why;
  const FoundProduct& found = find_product(product_of(op));
  return found_any(found) ? "" : text_of(found);
}

template <class O>
std::size_t workspace(const O& op) {
  return Layout(product_of(op), nullptr).pieces.need();
}

template <class O>
void run(const O& op, Buffers b, void* base, Stream& stream) {
  const Product p = product_of(op);
  const Layout at(p, base);
  const auto in = [&](std::size_t buffer, DType type, const Matrix& to, std::int64_t count) {
    copy_rounded({b[buffer], type}, to, count, op.precision, stream);
  };
  constexpr bool kWgrad = std::is_same_v<O, LinearWgrad>;
  // x and dy of wgrad are A and B; otherwise w is A, and x or dy is B.
  in(kWgrad ? 0 : 1, kWgrad ? DType::kF32 : op.weights, at.a, p.m * p.k);
  in(kWgrad ? 1 : 0, DType::kF32, at.b, p.n * p.k);
  if (p.bias) copy_rounded({b[2], DType::kF32}, at.bias, p.m, Precision::kF32, stream);
  multiply(p, base, stream);
  void* const result = b[std::is_same_v<O, LinearFprop> ? 3 : 2];
  copy_rounded({at.d.data, DType::kF32}, {result, DType::kF32}, p.m * p.n, Precision::kF32, stream);
}

template <class O>
Peer peer() {
  Peer peer{
      make_kernel<O, run<O>, declines<O>, workspace<O>>("cublaslt", DType::kF32, Device::Kind::kCuda),
      [](const Op& problem) { return rules_out(static_cast<const O&>(problem)); },
      [](const Op& problem, void* base, Stream& stream) {
        multiply(product_of(static_cast<const O&>(problem)), base, stream);
      },
      [](const Op& problem) { return text_of(find_product(product_of(static_cast<const O&>(problem)))); }};
  peer.kernel.missing = cublaslt_missing;
  return peer;
}

// ---- yardsticks: not a convolution, only the same number of multiplications ----

std::int64_t shared_out(std::int64_t total, std::int64_t parts) {
  return std::max<std::int64_t>(1, (total + parts / 2) / parts);
}

template <class O, bool kDense>
Product equal_product(const O& op) {
  const ConvGeometry& g = op.geometry;
  const std::int64_t pairs = kDense ? g.taps() * g.out_volume() : g.live_pairs();
  const std::int64_t taps = kDense ? g.taps() : std::max<std::int64_t>(1, g.live_taps());
  const std::int64_t C = g.in_channels, K = g.out_channels;
  if constexpr (std::is_same_v<O, ConvFprop>)
    return {K, g.batch * g.out_volume(), shared_out(pairs * C, g.out_volume()), true, false, op.precision};
  if constexpr (std::is_same_v<O, ConvDgrad>)
    return {C, g.batch * g.in_volume(), shared_out(pairs * K, g.in_volume()), true, false, op.precision};
  return {K, taps * C, shared_out(g.batch * pairs, taps), true, false, op.precision};
}

template <class O, bool kDense>
std::string yardstick_rules_out(const O& op) {
  constexpr double kMostBytes = 8e9;
  if (std::string why = cublaslt_missing(); !why.empty()) return why;
  if (std::string why = op.unusual(); !why.empty()) return why;
  if (std::string why = declines_groups(op.geometry); !why.empty()) return why;
  const Product p = equal_product<O, kDense>(op);
  const double longest = static_cast<double>(std::max(p.m, p.n)) * static_cast<double>(p.k);
  return longest * static_cast<double>(size_of(p.operand())) > kMostBytes
             ? "the operand, with every input once per tap, would be larger than 8 GB"
             : "";
}

template <class O, bool kDense>
Peer yardstick() {
  constexpr auto kFill = [](const O& problem, Buffers, void* base, Stream& stream) {
    const Product p = equal_product<O, kDense>(problem);
    const Layout at(p, base);
    fill_noise(at.a, p.m * p.k, 1, stream);
    fill_noise(at.b, p.n * p.k, 2, stream);
  };
  constexpr auto kBytes = [](const O& problem) {
    return Layout(equal_product<O, kDense>(problem), nullptr).pieces.need();
  };
  Peer peer{make_kernel<O, kFill, yardstick_rules_out<O, kDense>, kBytes>(
                kDense ? "cublaslt_dense" : "cublaslt_useful", DType::kF32, Device::Kind::kCuda),
            [](const Op& problem) { return yardstick_rules_out<O, kDense>(static_cast<const O&>(problem)); },
            [](const Op& problem, void* base, Stream& stream) {
              multiply(equal_product<O, kDense>(static_cast<const O&>(problem)), base, stream);
            },
            [](const Op& problem) {
              const Product p = equal_product<O, kDense>(static_cast<const O&>(problem));
              return concat(p.text(), ", ", text_of(find_product(p)));
            }};
  peer.kernel.missing = cublaslt_missing;
  return peer;
}

}  // namespace

std::vector<Peer> cublaslt_peers() {
  return {peer<LinearFprop>(), peer<LinearDgrad>(), peer<LinearWgrad>()};
}

std::vector<Peer> cublaslt_yardsticks() {
  return {yardstick<ConvFprop, false>(), yardstick<ConvDgrad, false>(), yardstick<ConvWgrad, false>(),
          yardstick<ConvFprop, true>(),  yardstick<ConvDgrad, true>(),  yardstick<ConvWgrad, true>()};
}

}  // namespace umbra
