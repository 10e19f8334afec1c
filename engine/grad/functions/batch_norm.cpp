#include "engine/grad/functions/batch_norm.h"

namespace umbra {
namespace {

using View = BatchNormView;

class BatchNormFunction final : public Function {
 public:
  BatchNormFunction(const BatchNormState& state, BatchNormOptions options)
      : state_(state), options_(options) {}
  std::string_view name() const override { return options_.relu ? "batch_norm_relu" : "batch_norm"; }

  // inputs: x, gamma, beta and, if there is one, the residual; saved: y if there is a ReLU and, in
  // training, the mean and invstd of the batch.
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    const View v(inputs[0]);
    const DType dtype = inputs[0].dtype();
    const Tensor residual = options_.residual ? inputs[3] : Tensor();
    Tensor y = pass.context.temporary_like(inputs[0]);
    if (!pass.training) {
      call(pass.context, BatchNormInference(dtype, v.outer, v.channels, v.inner, state_.epsilon, options_),
           {inputs[0], inputs[1], inputs[2], state_.running_mean, state_.running_var, residual, y});
      saved = {options_.relu ? y : Tensor()};
      return y;
    }
    saved = {options_.relu ? y : Tensor(), pass.context.temporary({v.channels}, dtype),
             pass.context.temporary({v.channels}, dtype)};  // y, mean, invstd
    call(pass.context,
         BatchNormForward(dtype, v.outer, v.channels, v.inner, state_.epsilon, state_.momentum, options_),
         {inputs[0], inputs[1], inputs[2], state_.running_mean, state_.running_var, residual, y, saved[1],
          saved[2]});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>&) const override {
    const View v(dy);
    const DType dtype = dy.dtype();
    std::vector<Tensor> grads{context.temporary_like(dy), context.temporary({v.channels}, dtype),
                              context.temporary({v.channels}, dtype)};  // dx, dgamma, dbeta
    if (options_.residual) grads.push_back(context.temporary_like(dy));
    const Tensor dresidual = options_.residual ? grads[3] : Tensor();
    const bool frozen = saved.size() == 1;  // in evaluation no statistics are saved
    if (frozen) {
      call(context, BatchNormFrozenBackward(dtype, v.outer, v.channels, v.inner, state_.epsilon, options_),
           {dy, inputs[0], saved[0], inputs[1], state_.running_mean, state_.running_var, grads[0], grads[1],
            grads[2], dresidual});
      return grads;
    }
    call(context, BatchNormBackward(dtype, v.outer, v.channels, v.inner, options_),
         {dy, inputs[0], saved[0], inputs[1], saved[1], saved[2], grads[0], grads[1], grads[2], dresidual});
    return grads;
  }

 private:
  BatchNormState state_;
  BatchNormOptions options_;
};

void check(const Pass& pass, const Var& x, const Var& gamma, const Var& beta) {
  const Shape& s = x->value.shape();
  require(s.rank() >= 2 && gamma->value.count() == s[1] && beta->value.count() == s[1],
          "batch_norm: ", gamma->value.count(), " channels expected, but the input is ", s);
  require(!pass.training || s[0] * s.count_from(2) > 1,
          "batch_norm: training needs at least two values per channel, but the input is ", s);
}

// The operation with these options: over the whole batch where processes share it, else over x alone.
Var normalised(Pass& pass, std::vector<Var> inputs, const BatchNormState& state, BatchNormOptions options) {
  Communicator* group = pass.training && pass.shared != nullptr ? pass.shared->statistics : nullptr;
  std::shared_ptr<const Function> function;
  if (group != nullptr)
    function = shared_batch_norm(*group, state, options);
  else
    function = std::make_shared<BatchNormFunction>(state, options);
  return apply(pass, std::move(function), std::move(inputs));
}

}  // namespace

Var batch_norm(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state) {
  check(pass, x, gamma, beta);
  return normalised(pass, {x, gamma, beta}, state, {});
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
  const BatchNormOptions options{.relu = true, .residual = residual != nullptr};
  return normalised(pass, std::move(inputs), state, options);
}

}  // namespace umbra
