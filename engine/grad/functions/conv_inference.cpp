#include "engine/grad/functions/call_with_weights.h"
#include "engine/grad/functions/conv_call.h"
#include "engine/ops/conv/inference.h"

namespace umbra {
namespace {

class ConvInferenceFunction final : public Function {
 public:
  ConvInferenceFunction(ConvCall conv, const BatchNormState& state, bool relu, Var w)
      : conv_(std::move(conv)), state_(state), relu_(relu), w_(std::move(w)) {}
  std::string_view name() const override { return "conv_inference"; }

  // inputs: x, w, gamma, beta and, if there is one, the residual
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    const bool has_residual = inputs.size() == 5;
    const DType dtype = inputs[0].dtype();
    const bool stored = inputs[1].dtype() == DType::kBf16;  // whatever the context's precision
    const Precision precision = stored ? Precision::kBf16 : conv_.precision(pass.context);
    const ConvInference op(dtype, conv_.geometry, state_.epsilon, relu_, has_residual, precision,
                           inputs[1].dtype());
    Tensor y = pass.context.temporary(conv_.out, dtype, Layout::batch_last());
    call_with_weights(pass.context, op,
                      {inputs[0], conv_.live_taps(inputs[1]), inputs[2], inputs[3], state_.running_mean,
                       state_.running_var, has_residual ? inputs[4] : Tensor(), y},
                      w_, &PackedWeights::transposed);
    return y;
  }

  std::vector<Tensor> backward(Context&, const Tensor&, std::span<const Tensor>, const Saved&,
                               const std::vector<bool>&) const override {
    fail("conv_inference: inference has no gradient");
  }

 private:
  ConvCall conv_;
  BatchNormState state_;
  bool relu_;
  Var w_;  // the weights, for their other forms
};

}  // namespace

Var conv_inference(Pass& pass, const Var& x, const Var& w, const Var& gamma, const Var& beta,
                   const BatchNormState& state, const Triple& stride, const Triple& padding, bool relu,
                   const Var& residual, const Triple& dilation, std::int64_t groups) {
  require(!pass.training && pass.tape == nullptr,
          "conv_inference: use conv and batch_norm in a pass that trains or records");
  const ConvCall conv = conv_call(x, w, stride, padding, dilation, groups);
  const std::int64_t channels = conv.geometry.out_channels;
  require(gamma->value.count() == channels && beta->value.count() == channels &&
              state.running_mean.count() == channels && state.running_var.count() == channels,
          "conv_inference: the batch norm has ", gamma->value.count(), " channels, but the convolution has ",
          channels);
  std::vector<Var> inputs{to_batch_last(pass, x), w, gamma, beta};
  if (residual != nullptr) {
    require(residual->value.shape() == conv.out, "conv_inference: the residual ", residual->value.shape(),
            " differs from the output ", conv.out, " in shape");
    inputs.push_back(to_batch_last(pass, residual));
  }
  return apply(pass, std::make_shared<ConvInferenceFunction>(conv, state, relu, w), std::move(inputs));
}

}  // namespace umbra
