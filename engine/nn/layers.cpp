#include "engine/nn/layers.h"

#include "engine/nn/init.h"

namespace umbra {

Conv::Conv(Build& build, const Options& o)
    : stride_{o.stride, o.stride, o.stride}, padding_{o.padding, o.padding, o.padding} {
  const std::int64_t k = o.kernel;
  const Shape shape = o.rank == 3 ? Shape{o.out_channels, o.in_channels, k, k, k}
                                  : Shape{o.out_channels, o.in_channels, k, k};
  weight_ = add_parameter("weight", uniform_tensor(build, shape, default_bound(shape.count_from(1))));
}

Var Conv::forward(Pass& pass, const Var& x) {
  return conv(pass, x, weight_, stride_, padding_);
}

BatchNorm::BatchNorm(Build& build, std::int64_t channels)
    : weight_(add_parameter("weight", constant_tensor(build, {channels}, 1))),
      bias_(add_parameter("bias", constant_tensor(build, {channels}, 0))) {
  state_.running_mean = add_buffer("running_mean", constant_tensor(build, {channels}, 0));
  state_.running_var = add_buffer("running_var", constant_tensor(build, {channels}, 1));
  batches_ = add_buffer("num_batches_tracked", allocate_tensor({}, {}, DType::kI64));
  batches_.values<std::int64_t>()[0] = 0;
}

Var BatchNorm::forward(Pass& pass, const Var& x) {
  if (pass.training) ++batches_.values<std::int64_t>()[0];
  return batch_norm(pass, x, weight_, bias_, state_);
}

Linear::Linear(Build& build, std::int64_t in, std::int64_t out)
    : weight_(add_parameter("weight", uniform_tensor(build, {out, in}, default_bound(in)))),
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
