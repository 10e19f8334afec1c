#include "engine/ops/data_movement/transpose.h"

#include "engine/grad/functions.h"

namespace umbra {
namespace {

Tensor transposed(Context& context, const Tensor& x, bool batch_last) {
  const Shape& s = x.shape();
  Tensor y = context.temporary(s, x.dtype(), batch_last ? Layout::batch_last() : Layout());
  const TransposeTo to = batch_last ? TransposeTo::kBatchLast : TransposeTo::kSampleFirst;
  call(context, Transpose(x.dtype(), to, s[0], s[1], s.count_from(2)), {x, y});
  return y;
}

class TransposeFunction final : public Function {
 public:
  explicit TransposeFunction(bool batch_last) : batch_last_(batch_last) {}
  std::string_view name() const override { return "transpose"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    return transposed(pass.context, inputs[0], batch_last_);
  }
  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor>, const Saved&,
                               const std::vector<bool>&) const override {
    return {transposed(context, dy, !batch_last_)};
  }

 private:
  bool batch_last_;
};

}  // namespace

Var to_batch_last(Pass& pass, const Var& x) {
  return x->value.row_major() ? apply(pass, std::make_shared<TransposeFunction>(true), {x}) : x;
}

Var to_row_major(Pass& pass, const Var& x) {
  return x->value.row_major() ? x : apply(pass, std::make_shared<TransposeFunction>(false), {x});
}

}  // namespace umbra
