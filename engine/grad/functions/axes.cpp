// Functions along axes. Their ops need row-major data; a batch-last input is transposed first.
#include "engine/grad/functions.h"
#include "engine/ops/data_movement/concatenate.h"
#include "engine/ops/softmax/op.h"

namespace umbra {
namespace {

/// `axis` counted from the front; -1, -2, … count from the end.
int axis_from_front(std::string_view name, int axis, const Shape& shape) {
  require(axis >= -shape.rank() && axis < shape.rank(), name, ": there is no axis ", axis, " in ", shape);
  return axis < 0 ? axis + shape.rank() : axis;
}

/// Product of the extents in front of `axis`.
std::int64_t count_before(const Shape& shape, int axis) {
  std::int64_t product = 1;
  for (int i = 0; i < axis; ++i) product *= shape[i];
  return product;
}

class SoftmaxFunction final : public Function {
 public:
  SoftmaxFunction(int axis, bool log) : axis_(axis), log_(log) {}
  std::string_view name() const override { return log_ ? "log_softmax" : "softmax"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    Tensor y = pass.context.temporary_like(inputs[0]);
    call(pass.context, op<SoftmaxForward>(y), {inputs[0], y});
    saved = {y};
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor>,
                               const Saved& saved, const std::vector<bool>&) const override {
    const Tensor dx = context.temporary_like(dy);
    call(context, op<SoftmaxBackward>(dy), {dy, saved[0], dx});
    return {dx};
  }

 private:
  template <class O>
  O op(const Tensor& x) const {
    const Shape& s = x.shape();
    return O(x.dtype(), count_before(s, axis_), s[axis_], s.count_from(axis_ + 1), log_);
  }

  int axis_;
  bool log_;
};

Var softmax_along(Pass& pass, const Var& x, int axis, bool log) {
  const int from_front = axis_from_front(log ? "log_softmax" : "softmax", axis, x->value.shape());
  return apply(pass, std::make_shared<SoftmaxFunction>(from_front, log), {to_row_major(pass, x)});
}

class ReduceAxesFunction final : public Function {
 public:
  ReduceAxesFunction(AxisReduction how, const AxesGeometry& geometry, const Shape& out)
      : how_(how), geometry_(geometry), out_(out) {}
  std::string_view name() const override { return "reduce_axes"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    Tensor y = pass.context.temporary(out_, inputs[0].dtype());
    call(pass.context, ReduceAxesForward(y.dtype(), how_, geometry_), {inputs[0], y});
    if (picks(how_)) saved = {y};
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>&) const override {
    const Tensor dx = context.temporary_like(inputs[0]);
    call(context, ReduceAxesBackward(dy.dtype(), how_, geometry_),
         {dy, picks(how_) ? inputs[0] : Tensor(), picks(how_) ? saved[0] : Tensor(), dx});
    return {dx};
  }

 private:
  AxisReduction how_;
  AxesGeometry geometry_;
  Shape out_;
};

// The adjoint of a sum, forwards.
class ExpandFunction final : public Function {
 public:
  ExpandFunction(const AxesGeometry& geometry, const Shape& out) : geometry_(geometry), out_(out) {}
  std::string_view name() const override { return "expand"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    const Tensor y = pass.context.temporary(out_, inputs[0].dtype());
    call(pass.context, ReduceAxesBackward(y.dtype(), AxisReduction::kSum, geometry_),
         {inputs[0], Tensor(), Tensor(), y});
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>&) const override {
    const Tensor dx = context.temporary_like(inputs[0]);
    call(context, ReduceAxesForward(dy.dtype(), AxisReduction::kSum, geometry_), {dy, dx});
    return {dx};
  }

 private:
  AxesGeometry geometry_;
  Shape out_;
};

class ConcatenateFunction final : public Function {
 public:
  explicit ConcatenateFunction(int axis) : axis_(axis) {}
  std::string_view name() const override { return "concatenate"; }

  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    const Shape& first = inputs[0].shape();
    std::vector<std::int64_t> out(first.extents().begin(), first.extents().end());
    for (std::size_t p = 1; p < inputs.size(); ++p)
      out[static_cast<std::size_t>(axis_)] += inputs[p].shape()[axis_];
    Tensor y = pass.context.temporary(Shape(out), inputs[0].dtype());
    std::vector<Tensor> buffers(inputs.begin(), inputs.end());
    buffers.push_back(y);
    call(pass.context, op<Concatenate>(inputs), buffers);
    return y;
  }

  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved&, const std::vector<bool>&) const override {
    std::vector<Tensor> buffers{dy};
    for (const Tensor& part : inputs) buffers.push_back(context.temporary_like(part));
    call(context, op<Split>(inputs), buffers);
    return {buffers.begin() + 1, buffers.end()};
  }

 private:
  template <class O>
  O op(std::span<const Tensor> inputs) const {
    const Shape& first = inputs[0].shape();
    std::vector<std::int64_t> extents;
    for (const Tensor& part : inputs) extents.push_back(part.shape()[axis_]);
    return O(inputs[0].dtype(), count_before(first, axis_), extents, first.count_from(axis_ + 1));
  }

  int axis_;
};

/// Whether the shapes are equal except along `axis`.
bool agree_beside(const Shape& a, const Shape& b, int axis) {
  if (a.rank() != b.rank()) return false;
  for (int i = 0; i < a.rank(); ++i)
    if (i != axis && a[i] != b[i]) return false;
  return true;
}

}  // namespace

Var softmax(Pass& pass, const Var& x, int axis) {
  return softmax_along(pass, x, axis, false);
}

Var log_softmax(Pass& pass, const Var& x, int axis) {
  return softmax_along(pass, x, axis, true);
}

Var reduce_axes(Pass& pass, const Var& x, AxisReduction how, const std::vector<int>& axes, bool keep_axes) {
  const Shape& s = x->value.shape();
  std::vector<bool> reduced(static_cast<std::size_t>(s.rank()), axes.empty());
  for (const int axis : axes) {
    const auto from_front = static_cast<std::size_t>(axis_from_front("reduce_axes", axis, s));
    require(!reduced[from_front], "reduce_axes: axis ", from_front, " of ", s, " is named twice");
    reduced[from_front] = true;
  }
  const AxesGeometry geometry(s.extents(), reduced);
  require(!picks(how) || geometry.terms() > 0 || geometry.outputs() == 0, "reduce_axes: the ", name_of(how),
          " of zero elements does not exist: ", s, " has none along the reduced axes");
  std::vector<std::int64_t> out;
  for (std::size_t axis = 0; axis < reduced.size(); ++axis) {
    if (!reduced[axis]) out.push_back(s.extents()[axis]);
    if (reduced[axis] && keep_axes) out.push_back(1);
  }
  if (out.empty()) out = {1};
  return apply(pass, std::make_shared<ReduceAxesFunction>(how, geometry, Shape(out)),
               {to_row_major(pass, x)});
}

Var expand(Pass& pass, const Var& x, int axis, std::int64_t extent) {
  const Shape& s = x->value.shape();
  require(axis >= 0 && axis <= s.rank() && extent > 0, "expand: ", s, " has no place for a new axis ", axis,
          " of extent ", extent);
  std::vector<std::int64_t> out(s.extents().begin(), s.extents().end());
  out.insert(out.begin() + axis, extent);
  std::vector<bool> added(out.size(), false);
  added[static_cast<std::size_t>(axis)] = true;
  return apply(pass, std::make_shared<ExpandFunction>(AxesGeometry(out, added), Shape(out)),
               {to_row_major(pass, x)});
}

Var concatenate(Pass& pass, const std::vector<Var>& parts, int axis) {
  require(!parts.empty(), "concatenate: no parts were given");
  const Shape& first = parts[0]->value.shape();
  const int from_front = axis_from_front("concatenate", axis, first);
  std::vector<Var> inputs;
  for (const Var& part : parts) {
    require(agree_beside(part->value.shape(), first, from_front), "concatenate: ", first, " and ",
            part->value.shape(), " differ in more than axis ", from_front);
    inputs.push_back(to_row_major(pass, part));
  }
  return apply(pass, std::make_shared<ConcatenateFunction>(from_front), std::move(inputs));
}

std::vector<Var> split(Pass& pass, const Var& x, const std::vector<std::int64_t>& extents, int axis) {
  const Shape& shape = x->value.shape();
  const int from_front = axis_from_front("split", axis, shape);
  require(!x->needs_grad, "split: ", shape, " needs a gradient, but only data is split");
  require(std::reduce(extents.begin(), extents.end()) == shape[from_front], "split: the parts of axis ",
          from_front, " of ", shape, " have ", std::reduce(extents.begin(), extents.end()), " positions");
  std::vector<Tensor> buffers{to_row_major(pass, x)->value};
  for (const std::int64_t extent : extents) {
    std::vector<std::int64_t> part(shape.extents().begin(), shape.extents().end());
    part[static_cast<std::size_t>(from_front)] = extent;
    buffers.push_back(pass.context.temporary(Shape(part), x->value.dtype()));
  }
  call(pass.context,
       Split(x->value.dtype(), count_before(shape, from_front), extents, shape.count_from(from_front + 1)),
       buffers);
  std::vector<Var> parts;
  for (std::size_t part = 1; part < buffers.size(); ++part) parts.push_back(constant(buffers[part]));
  return parts;
}

}  // namespace umbra
