#include "engine/grad/functions.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/batch_norm_relu/op.h"

namespace umbra {
namespace {

// What the ops see: [outer, channels, inner], whichever of the two outer axes holds the samples.
struct View {
  std::int64_t outer, channels, inner;
  explicit View(const Tensor& x)
      : outer(x.row_major() ? x.shape()[0] : x.shape().count_from(2)),
        channels(x.shape()[1]),
        inner(x.row_major() ? x.shape().count_from(2) : x.shape()[0]) {}
};

class BatchNormFunction final : public Function {
 public:
  explicit BatchNormFunction(const BatchNormState& state) : state_(state) {}
  std::string_view name() const override { return "batch_norm"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    const View v(inputs[0]);
    const DType dtype = inputs[0].dtype();
    const Tensor y = pass.context.temporary_like(inputs[0]);
    if (!pass.training) {
      call(pass.context, BatchNormInference(dtype, v.outer, v.channels, v.inner, state_.epsilon),
           {inputs[0], inputs[1], inputs[2], state_.running_mean, state_.running_var, y});
      return y;
    }
    saved = {pass.context.temporary({v.channels}, dtype),
             pass.context.temporary({v.channels}, dtype)};  // mean, invstd
    call(pass.context, BatchNormForward(dtype, v.outer, v.channels, v.inner, state_.epsilon, state_.momentum),
         {inputs[0], inputs[1], inputs[2], state_.running_mean, state_.running_var, y, saved[0], saved[1]});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>&) const override {
    require(!saved.empty(), "batch_norm: a pass with running statistics (training = false) has no gradient");
    const View v(dy);
    const DType dtype = dy.dtype();
    const Tensor dx = context.temporary_like(dy);
    const Tensor dgamma = context.temporary({v.channels}, dtype);
    const Tensor dbeta = context.temporary({v.channels}, dtype);
    call(context, BatchNormBackward(dtype, v.outer, v.channels, v.inner),
         {dy, inputs[0], inputs[1], saved[0], saved[1], dx, dgamma, dbeta});
    return {dx, dgamma, dbeta};
  }

 private:
  BatchNormState state_;
};

class BatchNormReluFunction final : public Function {
 public:
  explicit BatchNormReluFunction(const BatchNormState& state) : state_(state) {}
  std::string_view name() const override { return "batch_norm_relu"; }

  // inputs: x, gamma, beta and, where there is one, the residual
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    const View v(inputs[0]);
    const DType dtype = inputs[0].dtype();
    const bool has_residual = inputs.size() == 4;
    const Tensor residual = has_residual ? inputs[3] : Tensor();
    const Tensor y = pass.context.temporary_like(inputs[0]);
    if (!pass.training) {
      call(pass.context,
           BatchNormReluInference(dtype, v.outer, v.channels, v.inner, state_.epsilon, has_residual),
           {inputs[0], inputs[1], inputs[2], state_.running_mean, state_.running_var, residual, y});
      return y;
    }
    saved = {y, pass.context.temporary({v.channels}, dtype),
             pass.context.temporary({v.channels}, dtype)};  // y, mean, invstd
    call(pass.context,
         BatchNormReluForward(dtype, v.outer, v.channels, v.inner, state_.epsilon, state_.momentum,
                              has_residual),
         {inputs[0], inputs[1], inputs[2], state_.running_mean, state_.running_var, residual, y, saved[1],
          saved[2]});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>&) const override {
    require(!saved.empty(),
            "batch_norm_relu: a pass with running statistics (training = false) has no gradient");
    const View v(dy);
    const DType dtype = dy.dtype();
    const bool has_residual = inputs.size() == 4;
    std::vector<Tensor> grads{context.temporary_like(dy), context.temporary({v.channels}, dtype),
                              context.temporary({v.channels}, dtype)};  // dx, dgamma, dbeta
    if (has_residual) grads.push_back(context.temporary_like(dy));
    call(context, BatchNormReluBackward(dtype, v.outer, v.channels, v.inner, has_residual),
         {dy, inputs[0], saved[0], inputs[1], saved[1], saved[2], grads[0], grads[1], grads[2],
          has_residual ? grads[3] : Tensor()});
    return grads;
  }

 private:
  BatchNormState state_;
};

void check(const Pass& pass, const Var& x, const Var& gamma, const Var& beta) {
  const Shape& s = x->value.shape();
  require(s.rank() >= 2 && gamma->value.count() == s[1] && beta->value.count() == s[1],
          "batch_norm: ", gamma->value.count(), " channels expected, but the input is ", s);
  require(!pass.training || s[0] * s.count_from(2) > 1,
          "batch_norm: training needs at least two values per channel, but the input is ", s);
}

}  // namespace

Var batch_norm(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state) {
  check(pass, x, gamma, beta);
  return apply(pass, std::make_shared<BatchNormFunction>(state), {x, gamma, beta});
}

Var batch_norm_relu(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state,
                    const Var& residual) {
  check(pass, x, gamma, beta);
  std::vector<Var> inputs{x, gamma, beta};
  if (residual != nullptr) {
    require(residual->value.shape() == x->value.shape() && residual->value.layout() == x->value.layout(),
            "batch_norm_relu: the residual ", residual->value.shape(), " differs from the input ",
            x->value.shape(), " in shape or layout");
    inputs.push_back(residual);
  }
  return apply(pass, std::make_shared<BatchNormReluFunction>(state), std::move(inputs));
}

}  // namespace umbra
