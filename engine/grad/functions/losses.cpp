// Every loss op delivers its gradient together with its value; backward only multiplies it by what comes from
// above.
#include "engine/grad/functions.h"
#include "engine/ops/loss/chi2.h"
#include "engine/ops/loss/mse.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/ops/loss/softmax_cross_entropy.h"

namespace umbra {
namespace {

class LossFunction final : public Function {
 public:
  /// `data` follows the prediction in the op's buffers: target, and sigma where there is one.
  LossFunction(std::shared_ptr<const Op> op, std::vector<Tensor> data)
      : op_(std::move(op)), data_(std::move(data)) {}
  std::string_view name() const override { return op_->name(); }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    const Tensor loss = pass.context.temporary({1}, inputs[0].dtype());
    saved = {pass.context.temporary(inputs[0].shape(), inputs[0].dtype())};
    std::vector<Tensor> buffers{inputs[0]};
    buffers.insert(buffers.end(), data_.begin(), data_.end());
    buffers.push_back(loss);
    buffers.push_back(saved[0]);
    call(pass.context, *op_, buffers);
    return loss;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dloss, std::span<const Tensor>,
                               const Saved& saved, const std::vector<bool>&) const override {
    call(context, Scale(saved[0].dtype(), saved[0].count()), {saved[0], dloss});
    return {saved[0]};
  }

 private:
  std::shared_ptr<const Op> op_;
  std::vector<Tensor> data_;
};

const Shape& checked(std::string_view name, const Var& prediction, const Tensor& target) {
  const Shape& s = prediction->value.shape();
  require(prediction->value.row_major() && s.rank() == 2 && target.shape() == s, name,
          ": a prediction [N, K] and a target of the same shape expected, but they are ", s, " and ",
          target.shape());
  return s;
}

}  // namespace

Var mean_squared_error(Pass& pass, const Var& prediction, const Tensor& target) {
  const Shape& s = checked("mean_squared_error", prediction, target);
  auto op = std::make_shared<MeanSquaredError>(prediction->value.dtype(), s[0], s[1]);
  return apply(pass, std::make_shared<LossFunction>(op, std::vector{target}), {prediction});
}

Var softmax_cross_entropy(Pass& pass, const Var& logits, const Tensor& labels) {
  const Shape& s = logits->value.shape();
  require(logits->value.row_major() && s.rank() == 2 && labels.count() == s[0],
          "softmax_cross_entropy: ", labels.count(), " labels for logits of shape ", s);
  auto op = std::make_shared<SoftmaxCrossEntropy>(logits->value.dtype(), s[0], s[1]);
  return apply(pass, std::make_shared<LossFunction>(op, std::vector{labels}), {logits});
}

Var chi2_linear(Pass& pass, const Var& phi, const Tensor& target, const Tensor& sigma) {
  const Shape& s = checked("chi2_linear", phi, target);
  auto op = std::make_shared<Chi2Linear>(phi->value.dtype(), s[0], s[1]);
  return apply(pass, std::make_shared<LossFunction>(op, std::vector{target, sigma}), {phi});
}

Var chi2_log(Pass& pass, const Var& phi, const Tensor& target, const Tensor& sigma_dex, double floor) {
  const Shape& s = checked("chi2_log", phi, target);
  require(floor > 0, "chi2_log: the floor must be positive, but it is ", floor);
  auto op = std::make_shared<Chi2Log>(phi->value.dtype(), s[0], s[1], floor);
  return apply(pass, std::make_shared<LossFunction>(op, std::vector{target, sigma_dex}), {phi});
}

}  // namespace umbra
