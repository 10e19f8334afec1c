// Row-major tensors joined along an axis, and split again. Part p is [outer, extent_p, inner]:
//   concatenate  y[o] = part0[o], part1[o], …,  [outer, sum of extents, inner]
//   split        the reverse; each is the other's inverse and adjoint
#pragma once

#include <numeric>
#include <utility>

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class JoinOp : public Op {
 public:
  JoinOp(DType type, std::int64_t outer_, std::vector<std::int64_t> extents_, std::int64_t inner_)
      : Op(type), outer(outer_), extents(std::move(extents_)), inner(inner_) {}
  /// "o32 k20+12 i64"
  std::string text() const override {
    std::string text = concat("o", outer, " k");
    for (std::size_t p = 0; p < extents.size(); ++p) text += concat(p == 0 ? "" : "+", extents[p]);
    return concat(text, " i", inner);
  }
  double flops() const override { return 0; }  // bytes() determines the time
  bool exact_on_integers() const override { return true; }

  /// Elements of the whole and of a part.
  std::int64_t count() const { return outer * row(); }
  std::int64_t count(std::size_t part) const { return outer * row(part); }
  /// Adjacent elements of one outer index, in the whole and in a part.
  std::int64_t row() const {
    return std::accumulate(extents.begin(), extents.end(), std::int64_t{0}) * inner;
  }
  std::int64_t row(std::size_t part) const { return extents[part] * inner; }
  /// Calls body(part, offset of its numbers in a row of the whole) for every part that is not empty.
  template <class Body>
  void for_parts(const Body& body) const {
    std::int64_t begin = 0;
    for (std::size_t part = 0; part < extents.size(); begin += row(part++))
      if (count(part) > 0) body(part, begin);
  }

  std::int64_t outer;
  std::vector<std::int64_t> extents;
  std::int64_t inner;

 protected:
  std::vector<BufferSpec> parts(Access access) const {
    std::vector<BufferSpec> specs;
    for (std::size_t part = 0; part < extents.size(); ++part)
      specs.push_back({"part", dtype, count(part), access});
    return specs;
  }
};

/// Buffers: the parts, the whole.
class Concatenate final : public JoinOp {
 public:
  using JoinOp::JoinOp;
  static constexpr std::string_view kName = "concatenate";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs = parts(Access::kIn);
    specs.push_back({"y", dtype, count(), Access::kOut});
    return specs;
  }
};

/// Buffers: the whole, the parts.
class Split final : public JoinOp {
 public:
  using JoinOp::JoinOp;
  static constexpr std::string_view kName = "split";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs = parts(Access::kOut);
    specs.insert(specs.begin(), {"x", dtype, count(), Access::kIn});
    return specs;
  }
};

/// `count` numbers in rows of `row`, which are `from_stride` apart where they are read and `to_stride`
/// apart where they are written.
struct RowCopy {
  const float* from;
  float* to;
  std::int64_t count, row, from_stride, to_stride;
};

/// Calls body(RowCopy) for every part that is not empty.
template <class Body>
void for_copies(const Concatenate& op, const Buffers& b, const Body& body) {
  float* y = b.out(op.extents.size());
  op.for_parts([&](std::size_t part, std::int64_t begin) {
    body(RowCopy{b.in(part), y + begin, op.count(part), op.row(part), op.row(part), op.row()});
  });
}
template <class Body>
void for_copies(const Split& op, const Buffers& b, const Body& body) {
  const float* x = b.in(0);
  op.for_parts([&](std::size_t part, std::int64_t begin) {
    body(RowCopy{x + begin, b.out(part + 1), op.count(part), op.row(part), op.row(), op.row(part)});
  });
}

}  // namespace umbra
