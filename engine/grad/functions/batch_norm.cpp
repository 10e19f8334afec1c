#include "engine/grad/functions.h"
#include "engine/ops/batch_norm/op.h"

namespace umbra {
namespace {

class BatchNormFunction final : public Function {
 public:
  explicit BatchNormFunction(const BatchNormState& state) : state_(state) {}
  std::string_view name() const override { return "batch_norm"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    const Shape& s = inputs[0].shape();
    const DType dtype = inputs[0].dtype();
    const Tensor y = pass.context.temporary(s, dtype);
    if (!pass.training) {
      call(pass.context, BatchNormInference(dtype, s[0], s[1], s.count_from(2), state_.epsilon),
           {inputs[0], inputs[1], inputs[2], state_.running_mean, state_.running_var, y});
      return y;
    }
    saved = {pass.context.temporary({s[1]}, dtype), pass.context.temporary({s[1]}, dtype)};  // mean, invstd
    call(pass.context, BatchNormForward(dtype, s[0], s[1], s.count_from(2), state_.epsilon, state_.momentum),
         {inputs[0], inputs[1], inputs[2], state_.running_mean, state_.running_var, y, saved[0], saved[1]});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>&) const override {
    require(!saved.empty(), "batch_norm: a pass with running statistics (training = false) has no gradient");
    const Shape& s = dy.shape();
    const DType dtype = dy.dtype();
    const Tensor dx = context.temporary(s, dtype);
    const Tensor dgamma = context.temporary({s[1]}, dtype);
    const Tensor dbeta = context.temporary({s[1]}, dtype);
    call(context, BatchNormBackward(dtype, s[0], s[1], s.count_from(2)),
         {dy, inputs[0], inputs[1], saved[0], saved[1], dx, dgamma, dbeta});
    return {dx, dgamma, dbeta};
  }

 private:
  BatchNormState state_;
};

}  // namespace

Var batch_norm(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state) {
  const Shape& s = x->value.shape();
  require(s.rank() >= 2 && gamma->value.count() == s[1] && beta->value.count() == s[1],
          "batch_norm: ", gamma->value.count(), " channels expected, but the input is ", s.text());
  require(!pass.training || s[0] * s.count_from(2) > 1,
          "batch_norm: training needs at least two values per channel, but the input is ", s.text());
  return apply(pass, std::make_shared<BatchNormFunction>(state), {x, gamma, beta});
}

}  // namespace umbra
