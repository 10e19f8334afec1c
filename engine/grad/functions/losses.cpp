// Every loss op computes its gradient together with its value. backward() only multiplies that gradient by
// the gradient of the loss: one number, or one per loss where the losses are not reduced.
#include "engine/grad/functions.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/ops/loss/chi2.h"
#include "engine/ops/loss/mse.h"
#include "engine/ops/loss/poisson.h"
#include "engine/ops/loss/scale_rows.h"
#include "engine/ops/loss/softmax_cross_entropy.h"

namespace umbra {
namespace {

class LossFunction final : public Function {
 public:
  /// `data` are the op's buffers after the prediction: the target and, if there are any, sigma or weights.
  /// `losses` is the shape of the result.
  LossFunction(std::shared_ptr<const Op> op, std::vector<Tensor> data, Shape losses = {1})
      : op_(std::move(op)), data_(std::move(data)), losses_(losses) {}
  std::string_view name() const override { return op_->name(); }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    Tensor loss = pass.context.temporary(losses_, inputs[0].dtype());
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
    const std::int64_t count = saved[0].count(), losses = dloss.count();
    if (count == 0) return {saved[0]};  // of an empty batch
    if (losses == 1) {
      call(context, Scale(saved[0].dtype(), count), {saved[0], dloss});
    } else {
      call(context, ScaleRows(saved[0].dtype(), losses, count / losses), {saved[0], dloss});
    }
    return {saved[0]};
  }

 private:
  std::shared_ptr<const Op> op_;
  std::vector<Tensor> data_;
  Shape losses_;
};

const Shape& checked(std::string_view name, const Var& prediction, const Tensor& target) {
  const Shape& s = prediction->value.shape();
  require(prediction->value.row_major() && s.rank() == 2 && target.shape() == s, name,
          ": a prediction [N, K] and a target of the same shape expected, but they are ", s, " and ",
          target.shape());
  return s;
}

}  // namespace

Var mean_squared_error(Pass& pass, const Var& prediction, const Tensor& target, Reduce reduce) {
  const Shape& s = checked("mean_squared_error", prediction, target);
  auto op = std::make_shared<MeanSquaredError>(prediction->value.dtype(), s[0], s[1], reduce);
  const Shape losses = reduce == Reduce::kNone ? s : Shape{1};
  return apply(pass, std::make_shared<LossFunction>(op, std::vector{target}, losses), {prediction});
}

Var softmax_cross_entropy(Pass& pass, const Var& logits, const Tensor& labels,
                          const CrossEntropyOptions& options) {
  const Shape& s = logits->value.shape();
  require(logits->value.row_major() && s.rank() == 2 && labels.count() == s[0],
          "softmax_cross_entropy: ", labels.count(), " labels for logits of shape ", s);
  const Tensor& weights = options.class_weights;
  require(!weights.defined() || weights.count() == s[1],
          "softmax_cross_entropy: ", weights.defined() ? weights.count() : 0,
          " weights of classes for logits of shape ", s);
  require(options.label_smoothing >= 0 && options.label_smoothing <= 1,
          "softmax_cross_entropy: the label smoothing must be in [0, 1], but it is ",
          options.label_smoothing);
  const CrossEntropyRule rule{weights.defined(), options.ignore_index, options.label_smoothing,
                              options.reduce};
  auto op = std::make_shared<SoftmaxCrossEntropy>(logits->value.dtype(), s[0], s[1], rule);
  const Shape losses = options.reduce == Reduce::kNone ? Shape{s[0]} : Shape{1};
  return apply(pass, std::make_shared<LossFunction>(op, std::vector{labels, weights}, losses), {logits});
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

Var poisson(Pass& pass, const Var& phi, const Tensor& target, double exposure) {
  const Shape& s = checked("poisson", phi, target);
  require(exposure > 0, "poisson: the exposure must be positive, but it is ", exposure);
  auto op = std::make_shared<Poisson>(phi->value.dtype(), s[0], s[1], exposure);
  return apply(pass, std::make_shared<LossFunction>(op, std::vector{target}), {phi});
}

}  // namespace umbra
