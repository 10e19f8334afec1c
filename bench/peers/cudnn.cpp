// cuDNN's convolution as a rung. The operands are converted to cuDNN's layout ([sample][position][channel]
// and [Cout][tap][Cin] with zeros at dead taps) and rounded to the op's precision, so that the result does
// not depend on how tensor cores treat the remaining bits of a float; the result is converted back.
#include "bench/peers/convert.h"
#include "bench/peers/cudnn_search.h"
#include "bench/peers/gpu_peers.h"
#include "bench/peers/workspace.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

std::string missing() {
  return cudnn_api().missing;
}

std::string rules_out(const ConvOp& op) {
  if (std::string why = missing(); !why.empty()) return why;
  if (std::string why = op.unusual(); !why.empty()) return why;
  if (std::string why = declines_dilation(op.geometry); !why.empty()) return why;
  if (std::string why = declines_groups(op.geometry); !why.empty()) return why;
  for (const std::int64_t taps : op.geometry.kernel) {
    if (taps > LiveRows::kMostTaps) return concat("more than ", LiveRows::kMostTaps, " taps along an axis");
  }
  return {};
}

template <ConvPass kPass>
std::string declines(const ConvOp& op) {
  std::string why = rules_out(op);
  if (!why.empty()) return why;
  if constexpr (kPass == ConvPass::kDgrad) {
    if (static_cast<const ConvDgrad&>(op).addend) return "it adds to no other gradient here";
  }
  const FoundPlan& found = find_cudnn_plan(op, kPass);
  return found.plan.empty() ? found.text : "";
}

/// x, w and y in cuDNN's layout, and the workspace of its plan.
struct Layout {
  Layout(const ConvOp& op, ConvPass pass, const FoundPlan& found, void* base) : pieces(base) {
    const ConvGeometry& g = op.geometry;
    const DType operand = cudnn_operand(op.precision);
    const auto type = [&](ConvPass writer) { return pass == writer ? found.output : operand; };
    x = {nullptr, type(ConvPass::kDgrad)};
    w = {nullptr, type(ConvPass::kWgrad)};
    y = {nullptr, type(ConvPass::kFprop)};
    x.data = pieces.take(g.batch * g.in_volume() * g.in_channels, x.dtype);
    w.data = pieces.take(dense_weights(g), w.dtype);
    y.data = pieces.take(g.batch * g.out_volume() * g.out_channels, y.dtype);
    scratch = pieces.take_bytes(found.workspace);
  }
  Pieces pieces;
  Matrix x, w, y;
  void* scratch;
};

template <ConvPass kPass>
std::size_t workspace(const ConvOp& op) {
  return Layout(op, kPass, find_cudnn_plan(op, kPass), nullptr).pieces.need();
}

void activations_in(const void* from, const Matrix& to, std::int64_t rows, const ConvOp& op, Stream& stream) {
  transpose_in({from, DType::kF32}, to, rows, op.geometry.batch, {}, op.precision, stream);
}
void activations_out(const Matrix& from, float* to, std::int64_t columns, const ConvOp& op, Stream& stream) {
  transpose_out({from.data, from.dtype}, to, op.geometry.batch, columns, {}, stream);
}

template <ConvPass kPass>
void solve(const ConvOp& op, void* base, Stream& stream) {
  const FoundPlan& found = find_cudnn_plan(op, kPass);
  require(!found.plan.empty(), found.text);
  const Layout at(op, kPass, found, base);
  run_cudnn(found.plan[0], at.x.data, at.w.data, at.y.data, at.scratch, stream);
}

template <ConvPass kPass>
void run(const ConvOp& op, Buffers b, void* base, Stream& stream) {
  const ConvGeometry& g = op.geometry;
  const Layout at(op, kPass, find_cudnn_plan(op, kPass), base);
  const std::int64_t in = g.in_volume() * g.in_channels, out = g.out_volume() * g.out_channels;
  const std::int64_t taps = g.taps() * g.in_channels;
  const LiveRows map = live_rows(g);
  if constexpr (kPass != ConvPass::kDgrad) activations_in(b[0], at.x, in, op, stream);
  if constexpr (kPass == ConvPass::kDgrad) activations_in(b[0], at.y, out, op, stream);
  if constexpr (kPass == ConvPass::kWgrad) {
    activations_in(b[1], at.y, out, op, stream);
  } else {
    transpose_in({b[1], op.weights}, at.w, taps, g.out_channels, map, op.precision, stream);
  }
  solve<kPass>(op, base, stream);
  if constexpr (kPass == ConvPass::kFprop) activations_out(at.y, b.out(2), out, op, stream);
  if constexpr (kPass == ConvPass::kDgrad) activations_out(at.x, b.out(2), in, op, stream);
  if constexpr (kPass == ConvPass::kWgrad) {
    transpose_out({at.w.data, at.w.dtype}, b.out(2), g.out_channels, taps, map, stream);
  }
}

template <class O, ConvPass kPass>
Peer peer() {
  Peer peer{
      make_kernel<O, run<kPass>, declines<kPass>, workspace<kPass>>("cudnn", DType::kF32,
                                                                    Device::Kind::kCuda),
      [](const Op& problem) { return rules_out(static_cast<const ConvOp&>(problem)); },
      [](const Op& problem, void* base, Stream& stream) {
        solve<kPass>(static_cast<const ConvOp&>(problem), base, stream);
      },
      [](const Op& problem) { return find_cudnn_plan(static_cast<const ConvOp&>(problem), kPass).text; }};
  peer.kernel.missing = missing;
  return peer;
}

}  // namespace

std::vector<Peer> cudnn_peers() {
  return {peer<ConvFprop, ConvPass::kFprop>(), peer<ConvDgrad, ConvPass::kDgrad>(),
          peer<ConvWgrad, ConvPass::kWgrad>()};
}

}  // namespace umbra
