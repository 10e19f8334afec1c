#include "engine/nn/layers.h"

#include "engine/nn/init.h"

namespace umbra {

namespace {

// The geometry of one sample. With rank 2 the first axis has one position and no padding.
ConvGeometry geometry_of(const Conv::Options& o) {
  require(o.rank == 2 || o.rank == 3, "a convolution has 2 or 3 spatial dimensions, not ", o.rank);
  ConvGeometry g;
  g.in_channels = o.in_channels;
  g.out_channels = o.out_channels;
  g.in = o.extent.axes;
  g.kernel = o.kernel.axes;
  g.stride = o.stride.axes;
  g.padding = o.padding.axes;
  g.dilation = o.dilation.axes;
  g.groups = o.groups;
  if (o.rank == 2) g.in[0] = g.kernel[0] = g.stride[0] = g.dilation[0] = 1, g.padding[0] = 0;
  g.check();
  for (std::size_t a = 0; a < 3; ++a)
    if (g.kernel[a] == 1) g.dilation[a] = 1;  // a single tap has no gaps; many rungs do not support dilation
  return g;
}

}  // namespace

Conv::Conv(Build& build, const Options& o) : groups_(o.groups) {
  const ConvGeometry g = geometry_of(o);
  window_ = {g.kernel, g.stride, g.padding, g.dilation};
  out_extents_ = g.out();
  const std::int64_t in = g.in_channels / g.groups;
  const Triple& k = g.kernel;
  const Shape shape =
      o.rank == 3 ? Shape{g.out_channels, in, k[0], k[1], k[2]} : Shape{g.out_channels, in, k[1], k[2]};
  const WeightLayouts layouts = conv_weight_layouts(g);
  const Layout layout = build.learns ? layouts.value : layouts.grad;
  const DType held = build.precision.conv_weights(in, build.dtype, build.learns);
  const double bound = default_bound(shape.count_from(1));
  const Tensor value = held != build.dtype ? unset_tensor(build, shape, held, layout)
                                           : uniform_tensor(build, shape, bound, layout);
  weight_ = add_weight(build, "weight", value, build.precision.conv_operands(in), layouts.grad);
  weight_->packed.kept = true;
  if (o.bias) bias_ = add_parameter("bias", uniform_tensor(build, {g.out_channels}, bound));
}

Var Conv::forward(Pass& pass, const Var& x) {
  const Var y = conv(pass, x, weight_, window_.stride, window_.padding, window_.dilation, groups_);
  return bias_ == nullptr ? y : add_bias(pass, y, bias_);
}

BatchNorm::BatchNorm(Build& build, std::int64_t channels, const Options& options)
    : weight_(add_parameter("weight", constant_tensor(build, {channels}, 1))),
      bias_(add_parameter("bias", constant_tensor(build, {channels}, 0))) {
  state_.epsilon = options.epsilon;
  state_.momentum = options.momentum;
  state_.running_mean = add_buffer("running_mean", constant_tensor(build, {channels}, 0));
  state_.running_var = add_buffer("running_var", constant_tensor(build, {channels}, 1));
  batches_ = add_buffer("num_batches_tracked", allocate_tensor({}, {}, DType::kI64));
  batches_.values<std::int64_t>()[0] = 0;
}

void BatchNorm::count(const Pass& pass) {
  if (pass.training) ++batches_.values<std::int64_t>()[0];
}

Var BatchNorm::forward(Pass& pass, const Var& x) {
  count(pass);
  return batch_norm(pass, x, weight_, bias_, state_);
}

Var BatchNorm::forward_relu(Pass& pass, const Var& x, const Var& residual) {
  count(pass);
  return batch_norm_relu(pass, x, weight_, bias_, state_, residual);
}

Var BatchNorm::forward_conv(Pass& pass, Conv& conv, const Var& x, bool relu, const Var& residual) {
  const Window& window = conv.window_;
  if (!pass.training && pass.tape == nullptr && conv.bias_ == nullptr) {
    return conv_inference(pass, x, conv.weight_, weight_, bias_, state_, window.stride, window.padding, relu,
                          residual, window.dilation, conv.groups_);
  }
  const Var y = conv.forward(pass, x);
  const Var shortcut = residual == nullptr ? nullptr : to_batch_last(pass, residual);
  if (relu) return forward_relu(pass, y, shortcut);
  return shortcut == nullptr ? forward(pass, y) : add(pass, forward(pass, y), shortcut);
}

Var BatchNorm::forward_stem(Pass& pass, const Conv& conv, const Var& x, const Window& pool) {
  require(conv.bias_ == nullptr && conv.groups_ == 1,
          "a stem is a convolution without bias or groups, followed by a batch norm");
  count(pass);
  return stem(pass, x, conv.weight_, weight_, bias_, state_, {conv.window_, pool});
}

Linear::Linear(Build& build, std::int64_t in, std::int64_t out, bool bias, double scale)
    : weight_(add_weight(build, "weight", uniform_tensor(build, {out, in}, default_bound(in) * scale),
                         build.precision.linear_operands())) {
  if (bias) bias_ = add_parameter("bias", uniform_tensor(build, {out}, default_bound(in) * scale));
}

Var Linear::forward(Pass& pass, const Var& x) {
  return linear(pass, x, weight_, bias_);
}

Sequential::Sequential(std::vector<std::shared_ptr<Module>> modules) : modules_(std::move(modules)) {
  for (std::size_t i = 0; i < modules_.size(); ++i) add_child(std::to_string(i), modules_[i]);
}

Var Sequential::forward(Pass& pass, const Var& x) {
  Var y = x;
  for (const auto& module : modules_) y = module->forward(pass, y);
  return y;
}

}  // namespace umbra
