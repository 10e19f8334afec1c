#include "engine/grad/functions.h"
#include "engine/ops/pool/average_pool.h"
#include "engine/ops/pool/max_pool.h"
#include "engine/ops/pool/mean_pool.h"

namespace umbra {
namespace {

class MaxPoolFunction final : public Function {
 public:
  MaxPoolFunction(const PoolGeometry& g, const Shape& out) : geometry_(g), out_(out) {}
  std::string_view name() const override { return "max_pool"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    Tensor y = pass.context.temporary(out_, inputs[0].dtype(), Layout::batch_last());
    saved = {pass.context.temporary(out_, DType::kI32, y.layout())};  // argmax
    call(pass.context, MaxPoolForward(y.dtype(), geometry_), {inputs[0], y, saved[0]});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>&) const override {
    const Tensor dx = context.temporary_like(inputs[0]);
    call(context, MaxPoolBackward(dy.dtype(), geometry_), {dy, saved[0], dx});
    return {dx};
  }

 private:
  PoolGeometry geometry_;
  Shape out_;
};

class AveragePoolFunction final : public Function {
 public:
  AveragePoolFunction(const PoolGeometry& g, const Shape& out, bool count_padding)
      : geometry_(g), out_(out), count_padding_(count_padding) {}
  std::string_view name() const override { return "average_pool"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    Tensor y = pass.context.temporary(out_, inputs[0].dtype(), Layout::batch_last());
    call(pass.context, AveragePoolForward(y.dtype(), geometry_, count_padding_), {inputs[0], y});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>&) const override {
    const Tensor dx = context.temporary_like(inputs[0]);
    call(context, AveragePoolBackward(dy.dtype(), geometry_, count_padding_), {dy, dx});
    return {dx};
  }

 private:
  PoolGeometry geometry_;
  Shape out_;
  bool count_padding_;
};

class MeanPoolFunction final : public Function {
 public:
  std::string_view name() const override { return "mean_pool"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    const Shape& s = inputs[0].shape();
    Tensor y = pass.context.temporary({s[0], s[1]}, inputs[0].dtype(), Layout::batch_last());
    call(pass.context, MeanPoolForward(y.dtype(), s[0], s[1], s.count_from(2)), {inputs[0], y});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>&) const override {
    const Shape& s = inputs[0].shape();
    const Tensor dx = context.temporary_like(inputs[0]);
    call(context, MeanPoolBackward(dy.dtype(), s[0], s[1], s.count_from(2)), {dy, dx});
    return {dx};
  }
};

struct PoolCall {
  PoolGeometry geometry;
  Shape out;
};

/// The checked geometry and output shape. `name` and `pooling` are for messages.
PoolCall pool_call(std::string_view name, std::string_view pooling, const Var& x, const Window& window) {
  const Shape& in = x->value.shape();
  require(in.rank() == 5 || in.rank() == 4, name, ": input [N, C, (D,) H, W] expected, but it is ", in);
  PoolGeometry g;
  g.batch = in[0];
  g.channels = in[1];
  g.ceil = window.ceil;
  const int first = in.rank() == 5 ? 0 : 1;
  for (int axis = first; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    g.in[a] = in[2 + axis - first];
    g.kernel[a] = window.kernel[a];
    g.stride[a] = window.stride[a];
    g.padding[a] = window.padding[a];
    g.dilation[a] = window.dilation[a];
  }
  g.check(pooling);
  for (std::size_t a = 0; a < 3; ++a)
    if (g.kernel[a] == 1) g.dilation[a] = 1;  // a single tap has no gaps; many rungs do not support dilation
  const Shape out = first == 0 ? Shape{g.batch, g.channels, g.out(0), g.out(1), g.out(2)}
                               : Shape{g.batch, g.channels, g.out(1), g.out(2)};
  return {g, out};
}

}  // namespace

Window cubic_window(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return {{kernel, kernel, kernel}, {stride, stride, stride}, {padding, padding, padding}, {1, 1, 1}, false};
}

Var max_pool(Pass& pass, const Var& x, const Window& window) {
  const auto [g, out] = pool_call("max_pool", "max pooling", x, window);
  return apply(pass, std::make_shared<MaxPoolFunction>(g, out), {to_batch_last(pass, x)});
}

Var average_pool(Pass& pass, const Var& x, const Window& window, bool count_padding) {
  const auto [g, out] = pool_call("average_pool", "average pooling", x, window);
  return apply(pass, std::make_shared<AveragePoolFunction>(g, out, count_padding), {to_batch_last(pass, x)});
}

Var mean_pool(Pass& pass, const Var& x) {
  require(x->value.shape().rank() >= 3, "mean_pool: input [N, C, S…] expected, but it is ", x->value.shape());
  return apply(pass, std::make_shared<MeanPoolFunction>(), {to_batch_last(pass, x)});
}

}  // namespace umbra
