// Op: one problem for a kernel to solve, i.e. an equation together with its geometry, without any memory.
//
// An Op knows its name, its buffers (what they hold, how they are accessed and how a test may fill them), the
// useful floating-point operations it needs and the length of its longest sum. From these alone the registry
// chooses a kernel, the tests construct their checks and the benchmarks their roofline. FLOPs are useful
// ones: multiplications with padding do not count (oneDNN's benchdnn counts the same way).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/dtype.h"
#include "engine/base/error.h"  // writes ops and geometries to streams

namespace umbra {

/// Depth, height, width.
using Triple = std::array<std::int64_t, 3>;

enum class Access { kIn, kOut, kInOut };

/// How a test or a benchmark may fill an input: any number, numbers > 0, or indices in [0, bound).
enum class Fill { kAny, kPositive, kIndex };

struct BufferSpec {
  std::string_view name;
  DType dtype;
  std::int64_t count;  // elements
  Access access;
  Fill fill = Fill::kAny;
  std::int64_t bound = 0;  // for Fill::kIndex
};

/// The contents of the buffers of a call, read on request.
class HostBuffers {
 public:
  /// The numbers of a buffer, by its place in Op::buffers().
  virtual std::vector<double> numbers(std::size_t buffer) const = 0;

 protected:
  ~HostBuffers() = default;
};

class Op {
 public:
  explicit Op(DType type) : dtype(type) {}
  virtual ~Op() = default;
  virtual std::string_view name() const = 0;  // "conv_fprop"
  virtual std::string text() const = 0;       // "n32 c20:40 i4x4x4 k3x3x3 s2x2x2 p1x1x1", repeats a failure
  virtual std::vector<BufferSpec> buffers() const = 0;  // in the order in which run() takes them
  virtual double flops() const = 0;                     // useful floating-point operations
  virtual double sum_length() const { return 1; }  // terms of the longest sum: sets the rounding-error bound
  virtual bool exact_on_integers() const {
    return false;
  }  // small integers in: every correct kernel agrees bitwise
  /// For an input that makes a result of this op not finite: what is wrong with it, as part of a sentence
  /// ("label 17 of row 3 is outside 0 … 9"). "" where the op cannot tell.
  virtual std::string why_not_finite(const HostBuffers& /*inputs*/) const { return {}; }

  /// Bytes that must move at least once: every buffer read or written once (twice when read and written).
  double bytes() const {
    double total = 0;
    for (const BufferSpec& b : buffers()) {
      total += static_cast<double>(b.count) * static_cast<double>(size_of(b.dtype)) *
               (b.access == Access::kInOut ? 2 : 1);
    }
    return total;
  }

  DType dtype;  // of the arithmetic: kF32 or kF64
};

/// The memory of a call, one pointer per BufferSpec: in(0) is the first buffer, out(2) the third, and
/// last() the last one, in which ops over many tensors pass the scalars that all tensors share.
class Buffers : public std::span<void* const> {
 public:
  using span::span;
  template <class T = float>
  const T* in(std::size_t i) const {
    return static_cast<const T*>((*this)[i]);
  }
  template <class T = float>
  const T* last() const {
    return in<T>(size() - 1);
  }
  template <class T = float>
  T* out(std::size_t i) const {
    return static_cast<T*>((*this)[i]);
  }
};

}  // namespace umbra
