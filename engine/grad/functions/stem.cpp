#include "engine/grad/functions.h"
#include "engine/ops/stem/op.h"

namespace umbra {
namespace {

class StemFunction final : public Function {
 public:
  StemFunction(const StemGeometry& g, const Shape& out, const BatchNormState& state, Layout grad)
      : geometry_(g), out_(out), state_(state), grad_(std::move(grad)) {}
  std::string_view name() const override { return "stem"; }

  // inputs: x, w, gamma, beta
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    Context& context = pass.context;
    const DType dtype = inputs[0].dtype();
    Tensor y = context.temporary(out_, dtype, Layout::batch_last());
    if (!pass.training) {
      call(context, Stem3dInference(dtype, geometry_, state_.epsilon),
           {inputs[0], live(inputs[1]), inputs[2], inputs[3], state_.running_mean, state_.running_var, y});
      return y;
    }
    const std::int64_t c = geometry_.channels, k = geometry_.patch();
    saved = {context.temporary({geometry_.winner_words()}, DType::kI32),
             context.temporary({c}, dtype),            // mean
             context.temporary({c}, dtype),            // invstd
             context.temporary({k}, DType::kF64),      // mean of the patches
             context.temporary({k, k}, DType::kF64)};  // their covariance
    call(context, Stem3dForward(dtype, geometry_, state_.epsilon, state_.momentum),
         {inputs[0], live(inputs[1]), inputs[2], inputs[3], state_.running_mean, state_.running_var, y,
          saved[0], saved[1], saved[2], saved[3], saved[4]});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>& wanted) const override {
    require(!wanted[0], "stem: its input is data and has no gradient");
    std::vector<Tensor> grads{Tensor(), context.temporary(inputs[1].shape(), dy.dtype(), grad_),
                              context.temporary_like(inputs[2]), context.temporary_like(inputs[3])};
    call(context, Stem3dBackward(dy.dtype(), geometry_),
         {dy, inputs[0], live(inputs[1]), inputs[2], saved[1], saved[2], saved[0], saved[3], saved[4],
          grads[1], grads[2], grads[3]});
    return grads;
  }

 private:
  // The weights of the taps that touch data, which come first.
  Tensor live(const Tensor& w) const { return w.elements(0, grad_.stored(w.shape())); }

  StemGeometry geometry_;
  Shape out_;
  BatchNormState state_;
  Layout grad_;
};

}  // namespace

Var stem(Pass& pass, const Var& x, const Var& w, const Var& gamma, const Var& beta,
         const BatchNormState& state, const StemWindows& windows) {
  const Shape& in = x->value.shape();
  const Shape& weight = w->value.shape();
  require(in.rank() == 5 && weight.rank() == 5 && in[1] == weight[1] && x->value.row_major(),
          "stem: boxes [N, Cin, D, H, W] and weights [Cout, Cin, kD, kH, kW] expected, but they are ", in,
          " and ", weight);
  for (const Window* window : {&windows.conv, &windows.pool}) {
    require(window->dilation == Triple{1, 1, 1} && !window->ceil,
            "stem: windows with dilation or ceil are not supported; use conv, batch_norm_relu and max_pool "
            "instead");
  }
  StemGeometry g;
  g.batch = in[0];
  g.in_channels = in[1];
  g.channels = weight[0];
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    g.in[a] = in[2 + axis];
    g.kernel[a] = weight[2 + axis];
  }
  g.stride = windows.conv.stride;
  g.padding = windows.conv.padding;
  g.pool = windows.pool.kernel;
  g.pool_stride = windows.pool.stride;
  g.pool_padding = windows.pool.padding;
  g.check();
  const ConvGeometry conv{1, g.in_channels, g.channels, g.in, g.kernel, g.stride, g.padding};
  const WeightLayouts layouts = conv_weight_layouts(conv);
  require(layouts.fit(w->value), "stem: the weights ", weight, " of ", w->name,
          " are not laid out for boxes ", in, ": a network accepts only the extent it was built for");
  // The fused kernels have no backward for frozen statistics, which training does not need, and compute the statistics
  // of this process's part of a batch only.
  const bool whole_batch = pass.training && pass.shared != nullptr && pass.shared->statistics != nullptr;
  if ((pass.tape != nullptr && !pass.training) || whole_batch) {
    const Var y = umbra::conv(pass, x, w, windows.conv.stride, windows.conv.padding);
    return max_pool(pass, batch_norm_relu(pass, y, gamma, beta, state), windows.pool);
  }
  require(!pass.training || g.batch * g.conv_volume() > 1,
          "stem: training needs at least two values per channel");
  const Shape out{g.batch, g.channels, g.pool_out(0), g.pool_out(1), g.pool_out(2)};
  return apply(pass, std::make_shared<StemFunction>(g, out, state, layouts.grad), {x, w, gamma, beta});
}

}  // namespace umbra
