#include "engine/grad/functions.h"
#include "engine/grad/functions/call_with_weights.h"
#include "engine/ops/matmul/op.h"

namespace umbra {
namespace {

class LinearFunction final : public Function {
 public:
  explicit LinearFunction(Var w) : w_(std::move(w)) {}
  std::string_view name() const override { return "linear"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    const bool bias = inputs.size() == 3;
    const Shape& w = inputs[1].shape();
    Tensor y = pass.context.temporary({inputs[0].shape()[0], w[0]}, inputs[0].dtype());
    call_with_weights(
        pass.context,
        LinearFprop(y.dtype(), y.shape()[0], w[1], w[0], bias, pass.context.precision.linear_operands()),
        {inputs[0], inputs[1], bias ? inputs[2] : Tensor(), y}, w_);
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>& wanted) const override {
    const bool bias = inputs.size() == 3;
    const Shape& w = inputs[1].shape();
    const std::int64_t rows = dy.shape()[0];
    const DType dtype = dy.dtype();
    std::vector<Tensor> grads(inputs.size());
    grads[1] = context.temporary(w, dtype);
    if (bias) grads[2] = context.temporary(inputs[2].shape(), dtype);
    call(context, LinearWgrad(dtype, rows, w[1], w[0], bias, context.precision.linear_operands()),
         {inputs[0], dy, grads[1], bias ? grads[2] : Tensor()});
    if (wanted[0]) {
      grads[0] = context.temporary(inputs[0].shape(), dtype);
      call_with_weights(context,
                        LinearDgrad(dtype, rows, w[1], w[0], bias, context.precision.linear_operands()),
                        {dy, inputs[1], grads[0]}, w_);
    }
    return grads;
  }

 private:
  Var w_;  // the weights, for their bf16 copy
};

}  // namespace

Var linear(Pass& pass, const Var& x, const Var& w, const Var& b) {
  const Shape& in = x->value.shape();
  const Shape& weight = w->value.shape();
  require(in.rank() == 2 && weight.rank() == 2 && in[1] == weight[1], "linear: the weights ", weight,
          " do not fit the input ", in);
  require(b == nullptr || b->value.count() == weight[0], "linear: the bias must have ", weight[0],
          " elements");
  std::vector<Var> inputs{to_row_major(pass, x), w};
  if (b != nullptr) inputs.push_back(b);
  return apply(pass, std::make_shared<LinearFunction>(w), std::move(inputs));
}

}  // namespace umbra
