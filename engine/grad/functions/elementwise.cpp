#include "engine/grad/functions.h"
#include "engine/ops/data_movement/transpose.h"
#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/affine.h"
#include "engine/ops/elementwise/dropout.h"
#include "engine/ops/elementwise/exp.h"
#include "engine/ops/elementwise/mul.h"
#include "engine/ops/elementwise/relu.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/ops/elementwise/sigmoid.h"
#include "engine/ops/elementwise/tanh.h"
#include "engine/ops/elementwise/to_labels.h"

namespace umbra {
namespace {

/// y = f(x) whose gradient needs only the output: ops Forward {x, y} and Backward {dy, y, dx}.
template <class Forward, class Backward>
class FromOutputFunction final : public Function {
 public:
  explicit FromOutputFunction(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    Tensor y = pass.context.temporary_like(inputs[0]);
    call(pass.context, Forward(y.dtype(), y.count()), {inputs[0], y});
    saved = {y};
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor>,
                               const Saved& saved, const std::vector<bool>&) const override {
    const Tensor dx = context.temporary_like(dy);
    call(context, Backward(dy.dtype(), dy.count()), {dy, saved[0], dx});
    return {dx};
  }

 private:
  std::string_view name_;
};

class AddFunction final : public Function {
 public:
  std::string_view name() const override { return "add"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    Tensor y = pass.context.temporary_like(inputs[0]);
    call(pass.context, Add(y.dtype(), y.count()), {inputs[0], inputs[1], y});
    return y;
  }

  std::vector<Tensor> backward(Context&, const Tensor& dy, std::span<const Tensor>, const Saved&,
                               const std::vector<bool>&) const override {
    return {dy, dy};
  }
};

class MulFunction final : public Function {
 public:
  std::string_view name() const override { return "mul"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    return product(pass.context, inputs[0], inputs[1]);
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>& wanted) const override {
    return {wanted[0] ? product(context, dy, inputs[1]) : Tensor(),
            wanted[1] ? product(context, dy, inputs[0]) : Tensor()};
  }

 private:
  static Tensor product(Context& context, const Tensor& a, const Tensor& b) {
    Tensor y = context.temporary_like(a);
    call(context, Mul(y.dtype(), y.count()), {a, b, y});
    return y;
  }
};

class DropoutFunction final : public Function {
 public:
  /// `first` and `rows`: the place of the rows in those of the whole batch, and their number.
  DropoutFunction(double p, std::uint64_t seed, std::uint64_t layer, std::int64_t first, std::int64_t rows)
      : p_(p), seed_(seed), layer_(layer), first_(first), rows_(rows) {}
  std::string_view name() const override { return "dropout"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    saved = {pass.step.tensor(pass.context)};
    return masked(pass.context, inputs[0], saved[0]);
  }
  // The mask is a function of (seed, step, layer): backward draws the same one again.
  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor>,
                               const Saved& saved, const std::vector<bool>&) const override {
    return {masked(context, dy, saved[0])};
  }

 private:
  Tensor masked(Context& context, const Tensor& x, const Tensor& step) const {
    if (x.shape()[0] != rows_) return part_masked(context, x, step);
    Tensor y = context.temporary_like(x);
    call(context, Dropout(x.dtype(), x.count(), p_, seed_, layer_), {x, step, y});
    return y;
  }

  // The mask of the whole batch is drawn, so that the part has the bits that it has there. The mask follows the order of
  // the numbers in memory, but the samples of a part are one after another in row-major order only.
  Tensor part_masked(Context& context, const Tensor& x, const Tensor& step) const {
    const bool batch_last = !x.row_major();
    const Shape& s = x.shape();
    const std::int64_t row = s.count_from(1), count = rows_ * row;
    const auto flat = [&](std::int64_t numbers) { return context.temporary({numbers}, x.dtype()); };
    const auto transpose = [&](TransposeTo to, std::int64_t samples, const Tensor& from, const Tensor& y) {
      if (batch_last) call(context, Transpose(x.dtype(), to, samples, s[1], s.count_from(2)), {from, y});
      return batch_last ? y : from;
    };
    const Tensor whole = flat(count), masked = flat(count);
    call(context, SetValue(x.dtype(), count, 0.0), {whole});
    copy(transpose(TransposeTo::kSampleFirst, s[0], x.elements(0, x.count()), flat(x.count())),
         whole.elements(first_ * row, x.count()), context.stream);
    call(context, Dropout(x.dtype(), count, p_, seed_, layer_),
         {transpose(TransposeTo::kBatchLast, rows_, whole, flat(count)), step, masked});
    const Tensor all = transpose(TransposeTo::kSampleFirst, rows_, masked, flat(count));
    const Tensor part = all.elements(first_ * row, x.count());
    return batch_last ? transpose(TransposeTo::kBatchLast, s[0], part, context.temporary_like(x))
                      : part.reshaped(s);
  }

  double p_;
  std::uint64_t seed_, layer_;
  std::int64_t first_, rows_;
};

class ReshapeFunction final : public Function {
 public:
  explicit ReshapeFunction(const Shape& shape) : shape_(shape) {}
  std::string_view name() const override { return "reshape"; }

  Tensor forward(Pass&, std::span<const Tensor> inputs, Saved&) const override {
    return inputs[0].reshaped(shape_);
  }
  std::vector<Tensor> backward(Context&, const Tensor& dy, std::span<const Tensor> inputs, const Saved&,
                               const std::vector<bool>&) const override {
    return {dy.reshaped(inputs[0].shape())};
  }

 private:
  Shape shape_;
};

class AffineFunction final : public Function {
 public:
  AffineFunction(Tensor scale, Tensor shift) : scale_(std::move(scale)), shift_(std::move(shift)) {}
  std::string_view name() const override { return "affine"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    const Shape& s = inputs[0].shape();
    Tensor y = pass.context.temporary(s, inputs[0].dtype());
    call(pass.context, AffineForward(y.dtype(), s[0], s[1]), {inputs[0], scale_, shift_, y});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor>, const Saved&,
                               const std::vector<bool>&) const override {
    const Tensor dx = context.temporary_like(dy);
    call(context, AffineBackward(dy.dtype(), dy.shape()[0], dy.shape()[1]), {dy, scale_, dx});
    return {dx};
  }

 private:
  Tensor scale_, shift_;
};

}  // namespace

Var relu(Pass& pass, const Var& x) {
  return apply(pass, std::make_shared<FromOutputFunction<ReluForward, ReluBackward>>("relu"), {x});
}

Var sigmoid(Pass& pass, const Var& x) {
  return apply(pass, std::make_shared<FromOutputFunction<SigmoidForward, SigmoidBackward>>("sigmoid"), {x});
}

Var tanh(Pass& pass, const Var& x) {
  return apply(pass, std::make_shared<FromOutputFunction<TanhForward, TanhBackward>>("tanh"), {x});
}

Var exp(Pass& pass, const Var& x) {
  return apply(pass, std::make_shared<FromOutputFunction<Exp, Mul>>("exp"), {x});
}

Var silu(Pass& pass, const Var& x) {
  return mul(pass, x, sigmoid(pass, x));
}

Tensor to_labels(Context& context, const Tensor& x) {
  const Tensor y = context.temporary(x.shape(), DType::kI32);
  call(context, ToLabels(x.dtype(), x.count()), {x, y});
  return y;
}

Var add(Pass& pass, const Var& a, const Var& b) {
  require(a->value.shape() == b->value.shape(), "add: the shapes ", a->value.shape(), " and ",
          b->value.shape(), " differ");
  require(a->value.layout() == b->value.layout(), "add: both ", a->value.shape(),
          ", but one is row-major and the other batch-last");
  return apply(pass, std::make_shared<AddFunction>(), {a, b});
}

Var mul(Pass& pass, const Var& a, const Var& b) {
  require(a->value.shape() == b->value.shape(), "mul: the shapes ", a->value.shape(), " and ",
          b->value.shape(), " differ");
  const Var other = a->value.row_major() ? to_row_major(pass, b) : to_batch_last(pass, b);
  require(a->value.layout() == other->value.layout(), "mul: both ", a->value.shape(),
          ", but one of them stores only some positions, as the weights of a convolution do");
  return apply(pass, std::make_shared<MulFunction>(), {a, other});
}

Var dropout(Pass& pass, const Var& x, double p) {
  require(p >= 0 && p < 1, "dropout: the probability must be in [0, 1), but it is ", p);
  const std::uint64_t layer =
      pass.draws++;  // counted even when nothing is dropped, so that masks do not depend on other layers
  if (!pass.training || p == 0) return x;
  const std::int64_t rows = x->value.shape()[0];
  const SharedBatch batch = pass.shared == nullptr ? SharedBatch{0, rows} : *pass.shared;
  return apply(pass, std::make_shared<DropoutFunction>(p, pass.rng.seed(), layer, batch.first, batch.samples),
               {x});
}

Var reshape(Pass& pass, const Var& x, const Shape& shape) {
  return apply(pass, std::make_shared<ReshapeFunction>(shape), {x});
}

Var flatten(Pass& pass, const Var& x) {
  const Shape& s = x->value.shape();
  return reshape(pass, to_row_major(pass, x), {s[0], s.count_from(1)});
}

Var affine(Pass& pass, const Var& x, const Tensor& scale, const Tensor& shift) {
  const Shape& s = x->value.shape();
  require(x->value.row_major() && s.rank() == 2 && scale.count() == s[1] && shift.count() == s[1],
          "affine: ", scale.count(), " columns expected, but the input is ", s);
  return apply(pass, std::make_shared<AffineFunction>(scale, shift), {x});
}

}  // namespace umbra
