#include "engine/grad/functions.h"
#include "engine/ops/bias/op.h"
#include "engine/ops/conv/op.h"

namespace umbra {
namespace {

class ConvFunction final : public Function {
 public:
  explicit ConvFunction(const ConvGeometry& g, const Shape& out) : geometry_(g), out_(out) {}
  std::string_view name() const override { return "conv"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    const Tensor y = pass.context.temporary(out_, inputs[0].dtype());
    call(pass.context, ConvFprop(y.dtype(), geometry_), {inputs[0], inputs[1], y});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>& wanted) const override {
    const DType dtype = dy.dtype();
    std::vector<Tensor> grads(2);
    if (wanted[1]) {
      grads[1] = context.temporary(inputs[1].shape(), dtype);
      call(context, ConvWgrad(dtype, geometry_), {inputs[0], dy, grads[1]});
    }
    if (wanted[0]) {
      grads[0] = context.temporary(inputs[0].shape(), dtype);
      call(context, ConvDgrad(dtype, geometry_), {dy, inputs[1], grads[0]});
    }
    return grads;
  }

 private:
  ConvGeometry geometry_;
  Shape out_;
};

class BiasFunction final : public Function {
 public:
  std::string_view name() const override { return "bias"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    const Shape& s = inputs[0].shape();
    const Tensor y = pass.context.temporary(s, inputs[0].dtype());
    call(pass.context, BiasForward(y.dtype(), s[0], s[1], s.count_from(2)), {inputs[0], inputs[1], y});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>&) const override {
    const Shape& s = dy.shape();
    const Tensor dbias = context.temporary(inputs[1].shape(), dy.dtype());
    call(context, BiasBackward(dy.dtype(), s[0], s[1], s.count_from(2)), {dy, dbias});
    return {dy, dbias};
  }
};

}  // namespace

Var conv(Pass& pass, const Var& x, const Var& w, const Triple& stride, const Triple& padding) {
  const Shape& in = x->value.shape();
  const Shape& weight = w->value.shape();
  require((in.rank() == 5 || in.rank() == 4) && weight.rank() == in.rank(),
          "conv: input [N, C, (D,) H, W] and weights [Cout, Cin, (kD,) kH, kW] expected, but they are ",
          in.text(), " and ", weight.text());
  require(in[1] == weight[1], "conv: the weights ", weight.text(), " take ", weight[1],
          " channels, but the input ", in.text(), " has ", in[1]);
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
  }
  g.check();
  const Shape out = first == 0 ? Shape{g.batch, g.out_channels, g.out(0), g.out(1), g.out(2)}
                               : Shape{g.batch, g.out_channels, g.out(1), g.out(2)};
  return apply(pass, std::make_shared<ConvFunction>(g, out), {x, w});
}

Var add_bias(Pass& pass, const Var& x, const Var& bias) {
  const Shape& s = x->value.shape();
  require(s.rank() >= 2 && bias->value.count() == s[1], "bias: ", bias->value.shape().text(),
          " does not fit the channels of ", s.text());
  return apply(pass, std::make_shared<BiasFunction>(), {x, bias});
}

}  // namespace umbra
