#include "engine/nn/layers.h"

#include "engine/nn/init.h"

namespace umbra {

Conv::Conv(Build& build, const Options& o) : window_(cubic_window(o.kernel, o.stride, o.padding)) {
  const std::int64_t k = o.kernel;
  const Shape shape = o.rank == 3 ? Shape{o.out_channels, o.in_channels, k, k, k}
                                  : Shape{o.out_channels, o.in_channels, k, k};
  ConvGeometry g{1,
                 o.in_channels,
                 o.out_channels,
                 {o.extent, o.extent, o.extent},
                 window_.kernel,
                 window_.stride,
                 window_.padding};
  if (o.rank == 2) g.in[0] = g.kernel[0] = g.stride[0] = 1, g.padding[0] = 0;
  g.check();
  out_extent_ = g.out(2);
  const WeightLayouts layouts = conv_weight_layouts(g);
  const Layout layout = build.learns ? layouts.value : layouts.grad;
  const DType held = build.precision.conv_weights(g.in_channels, build.dtype, build.learns);
  const Tensor value = held != build.dtype
                           ? unset_tensor(build, shape, held, layout)
                           : uniform_tensor(build, shape, default_bound(shape.count_from(1)), layout);
  weight_ = add_weight(build, "weight", value, build.precision.conv_operands(g.in_channels), layouts.grad);
}

Var Conv::forward(Pass& pass, const Var& x) {
  return conv(pass, x, weight_, window_.stride, window_.padding);
}

BatchNorm::BatchNorm(Build& build, std::int64_t channels)
    : weight_(add_parameter("weight", constant_tensor(build, {channels}, 1))),
      bias_(add_parameter("bias", constant_tensor(build, {channels}, 0))) {
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

Var BatchNorm::forward_conv(Pass& pass, const Conv& conv, const Var& x, bool relu, const Var& residual) {
  const Window& window = conv.window();
  if (!pass.training && pass.tape == nullptr) {
    return conv_inference(pass, x, conv.weight(), weight_, bias_, state_, window.stride, window.padding, relu,
                          residual);
  }
  const Var y = umbra::conv(pass, x, conv.weight(), window.stride, window.padding);
  const Var shortcut = residual == nullptr ? nullptr : to_batch_last(pass, residual);
  if (relu) return forward_relu(pass, y, shortcut);
  return shortcut == nullptr ? forward(pass, y) : add(pass, forward(pass, y), shortcut);
}

Var BatchNorm::forward_stem(Pass& pass, const Conv& conv, const Var& x, const Window& pool) {
  count(pass);
  return stem(pass, x, conv.weight(), weight_, bias_, state_, {conv.window(), pool});
}

Linear::Linear(Build& build, std::int64_t in, std::int64_t out)
    : weight_(add_weight(build, "weight", uniform_tensor(build, {out, in}, default_bound(in)),
                         build.precision.linear_operands())),
      bias_(add_parameter("bias", uniform_tensor(build, {out}, default_bound(in)))) {}

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
