#include <algorithm>
#include <ranges>
#include <utility>

#include "engine/grad/functions/call_with_weights.h"
#include "engine/grad/functions/conv_call.h"
#include "engine/grad/functions/packed_activations.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/elementwise/bias.h"

namespace umbra {
namespace {

class ConvFunction final : public Function {
 public:
  /// `learns`: whether the weights have a gradient.
  ConvFunction(ConvCall conv, Var w, bool learns)
      : conv_(std::move(conv)), w_(std::move(w)), learns_(learns) {}
  std::string_view name() const override { return "conv"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    Context& context = pass.context;
    ConvFprop op = problem<ConvFprop>(context, inputs[0].dtype());
    // Only where both passes that read x read it packed; otherwise each kernel packs it if it needs to.
    if (pass.tape != nullptr && learns_ && reads_packed(context, op) &&
        reads_packed(context, problem<ConvWgrad>(context, op.dtype)))
      saved = packed_input(pass, inputs[0], op.precision);
    op.packed = !saved.empty();
    Tensor y = context.temporary(conv_.out, op.dtype, Layout::batch_last());
    call_with_weights(context, op,
                      {op.packed ? saved[kTransposed] : inputs[0], conv_.live_taps(inputs[1]), y}, w_,
                      &PackedWeights::transposed);
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>& wanted) const override {
    std::vector<Tensor> none(2);
    return backward_onto(context, dy, inputs, saved, wanted, none);
  }

  std::vector<Tensor> backward_onto(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                                    const Saved& saved, const std::vector<bool>& wanted,
                                    std::vector<Tensor>& so_far) const override {
    std::vector<Tensor> grads(2);
    PackedActivation packed;
    if (!saved.empty()) packed = pack_activation(context, dy, conv_.precision(context));
    if (wanted[1]) {
      ConvWgrad op = problem<ConvWgrad>(context, dy.dtype());
      op.packed = !saved.empty();
      grads[1] = context.temporary(inputs[1].shape(), dy.dtype(), conv_.live);
      call(context, op,
           {op.packed ? saved[kStraight] : inputs[0], op.packed ? packed.straight : dy, grads[1]});
    }
    if (wanted[0]) {
      ConvDgrad op = problem<ConvDgrad>(context, dy.dtype());
      op.packed = !saved.empty() && reads_packed(context, op);
      grads[0] = context.temporary_like(inputs[0]);
      Tensor addend;
      if (so_far[0].defined() && so_far[0].layout() == grads[0].layout() && adds_as_fast(context, op)) {
        op.addend = true;
        addend = std::exchange(so_far[0], {});
      }
      call_with_weights(context, op,
                        {op.packed ? packed.transposed : dy, conv_.live_taps(inputs[1]), grads[0], addend},
                        w_, &PackedWeights::straight);
    }
    return grads;
  }

 private:
  // What is saved: nothing, or x packed, and x itself, whose memory is then used for nothing else.
  enum : std::size_t { kStraight, kTransposed, kSource };

  template <class O>
  O problem(const Context& context, DType dtype) const {
    return O(dtype, conv_.geometry, conv_.precision(context));
  }

  // x, packed by an earlier convolution of the same tape (a block's shortcut reads what its first convolution reads) or
  // now. Nothing is kept beyond the tape: before the next one, x may have other numbers.
  static Saved packed_input(Pass& pass, const Tensor& x, Precision precision) {
    for (const Node& node : std::views::reverse(pass.tape->nodes())) {
      if (node.saved.empty() || dynamic_cast<const ConvFunction*>(node.function.get()) == nullptr) continue;
      const Tensor& source = node.saved[kSource];
      const bool same = source.data() == x.data() && source.shape() == x.shape();
      if (same && node.saved[kStraight].dtype() == packed_type(precision, x.dtype())) return node.saved;
    }
    const PackedActivation packed = pack_activation(pass.context, x, precision);
    return {packed.straight, packed.transposed, x};
  }

  // Whether the rung that adds to another gradient is not lower on the ladder than the one that does not.
  static bool adds_as_fast(const Context& context, const ConvDgrad& plain) {
    ConvDgrad adds = plain;
    adds.addend = true;
    const Device::Kind device = context.device().kind;
    return context.registry.height(adds, device) >= context.registry.height(plain, device);
  }

  ConvCall conv_;
  Var w_;  // the weights, for their other forms
  bool learns_;
};

class BiasFunction final : public Function {
 public:
  std::string_view name() const override { return "bias"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    Tensor y = pass.context.temporary_like(inputs[0]);
    call(pass.context, BiasForward(y.dtype(), outer(y), y.shape()[1], inner(y)), {inputs[0], inputs[1], y});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>&) const override {
    const Tensor dbias = context.temporary(inputs[1].shape(), dy.dtype());
    call(context, BiasBackward(dy.dtype(), outer(dy), dy.shape()[1], inner(dy)), {dy, dbias});
    return {dy, dbias};
  }

 private:
  // The op uses the view [outer, channels, inner]. The samples are the outer or the inner axis.
  static std::int64_t outer(const Tensor& x) {
    return x.row_major() ? x.shape()[0] : x.shape().count_from(2);
  }
  static std::int64_t inner(const Tensor& x) {
    return x.row_major() ? x.shape().count_from(2) : x.shape()[0];
  }
};

}  // namespace

WeightLayouts conv_weight_layouts(const ConvGeometry& geometry) {
  const std::vector<std::int32_t> live = geometry.live_tap_list();
  std::vector<std::int32_t> all = live;
  for (std::int32_t t = 0; t < geometry.taps(); ++t) {
    if (!std::binary_search(live.begin(), live.end(), t)) all.push_back(t);
  }
  return {Layout::batch_last(all), Layout::batch_last(live)};
}

ConvCall conv_call(const Var& x, const Var& w, const Triple& stride, const Triple& padding,
                   const Triple& dilation, std::int64_t groups) {
  const Shape& in = x->value.shape();
  const Shape& weight = w->value.shape();
  require((in.rank() == 5 || in.rank() == 4) && weight.rank() == in.rank(),
          "conv: input [N, C, (D,) H, W] and weights [Cout, Cin, (kD,) kH, kW] expected, but they are ", in,
          " and ", weight);
  require(groups > 0, "conv: the number of groups must be positive, but it is ", groups);
  require(in[1] % groups == 0 && in[1] / groups == weight[1], "conv: the weights ", weight, " take ",
          weight[1], " channels", groups == 1 ? "" : concat(" in each of ", groups, " groups"),
          ", but the input ", in, " has ", in[1]);
  ConvGeometry g;
  g.batch = in[0];
  g.in_channels = in[1];
  g.out_channels = weight[0];
  const int first = in.rank() == 5 ? 0 : 1;
  for (int axis = first; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    g.in[a] = in[2 + axis - first];
    g.kernel[a] = weight[2 + axis - first];
    g.stride[a] = stride[a];
    g.padding[a] = padding[a];
    g.dilation[a] = dilation[a];
  }
  g.groups = groups;
  g.check();
  for (std::size_t a = 0; a < 3; ++a)
    if (g.kernel[a] == 1) g.dilation[a] = 1;  // a single tap has no gaps; many rungs do not support dilation
  const Shape out = first == 0 ? Shape{g.batch, g.out_channels, g.out(0), g.out(1), g.out(2)}
                               : Shape{g.batch, g.out_channels, g.out(1), g.out(2)};
  const WeightLayouts layouts = conv_weight_layouts(g);
  require(layouts.fit(w->value), "conv: the weights ", weight, " of ",
          w->name.empty() ? "this call" : w->name, " are not laid out for an input ", in,
          ": a network accepts only the extent it was built for");
  return {g, out, layouts.grad};
}

Var conv(Pass& pass, const Var& x, const Var& w, const Triple& stride, const Triple& padding,
         const Triple& dilation, std::int64_t groups) {
  require(w->value.dtype() != DType::kBf16, "conv: the weights ", w->value.shape(), " of ",
          w->name.empty() ? "this call" : w->name,
          " are stored as bf16, which is for inference (conv_inference) only, not for training or recording");
  ConvCall problem = conv_call(x, w, stride, padding, dilation, groups);
  return apply(pass, std::make_shared<ConvFunction>(std::move(problem), w, w->needs_grad),
               {to_batch_last(pass, x), w});
}

Var add_bias(Pass& pass, const Var& x, const Var& bias) {
  const Shape& s = x->value.shape();
  require(s.rank() >= 2 && bias->value.count() == s[1], "bias: ", bias->value.shape(),
          " does not fit the channels of ", s);
  return apply(pass, std::make_shared<BiasFunction>(), {x, bias});
}

}  // namespace umbra
