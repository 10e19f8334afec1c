// Tensor: a shape and a layout over a piece of storage. Always without gaps, so that no kernel needs a
// stride; copying a Tensor copies the handle, not the numbers.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base/dtype.h"
#include "engine/base/shape.h"
#include "engine/runtime/storage.h"
#include "engine/runtime/stream.h"
#include "engine/tensor/layout.h"

namespace umbra {

class Tensor {
 public:
  Tensor() = default;  // holds nothing; see defined()
  Tensor(std::shared_ptr<Storage> storage, std::size_t byte_offset, Shape shape, DType dtype,
         Layout layout = {});

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  const Layout& layout() const { return layout_; }
  bool row_major() const { return !layout_.is_batch_last(); }
  /// Elements in memory: those of the shape, unless the layout leaves some out.
  std::int64_t count() const { return layout_.stored(shape_); }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype_); }
  Device device() const { return storage_->device(); }
  void* data() const { return static_cast<char*>(storage_->data()) + offset_; }

  /// The same numbers under another shape of the same count. Throws Error unless the tensor is row-major.
  Tensor reshaped(Shape shape) const;
  /// `count` elements from `begin` on, as they stand in memory, as one axis.
  Tensor elements(std::int64_t begin, std::int64_t count) const;

  /// The numbers of a CPU tensor as they stand in memory. Throws Error when the dtype or the device is
  /// another.
  template <class T>
  std::span<T> values() const {
    check_host(dtype_of<T>);
    return {static_cast<T*>(data()), static_cast<std::size_t>(count())};
  }

 private:
  void check_host(DType wanted) const;

  std::shared_ptr<Storage> storage_;
  std::size_t offset_ = 0;
  Shape shape_;
  DType dtype_ = DType::kF32;
  Layout layout_;
};

/// Calls body(a zero of the element type): code for any dtype, as a template of its argument.
template <class Body>
void with_element(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kF32:
      return body(float{});
    case DType::kF64:
      return body(double{});
    case DType::kI32:
      return body(std::int32_t{});
    case DType::kI64:
      return body(std::int64_t{});
    case DType::kBf16:
      return body(Bf16{});
  }
}

/// A tensor with storage of its own and arbitrary contents.
Tensor allocate_tensor(Device device, Shape shape, DType dtype, Layout layout = {});

/// Copies equal counts of equal dtype and layout between any two devices, in the order of `stream`.
void copy(const Tensor& from, const Tensor& to, Stream& stream);

/// The tensor on the host in row-major order, zeros where its layout holds nothing; itself where it already
/// is that. Waits for `stream`.
Tensor row_major_on_host(const Tensor& tensor, Stream& stream);
/// The reverse: `from` is row-major on the host and has the shape and dtype of `to`.
void assign(const Tensor& to, const Tensor& from, Stream& stream);

/// A part of the reverse, for tensors too large to stand in memory twice: rows [first, first + rows) along
/// axis 0 of `to`, which is on the host. `rows` holds them in row-major order; to bfloat16 they are rounded.
void assign_rows(const Tensor& to, std::int64_t first, std::span<const float> rows);

/// The numbers of a tensor in row-major order, in double, whatever its dtype, layout and device. Waits for
/// `stream`.
std::vector<double> to_host(const Tensor& tensor, Stream& stream);
/// Converts `values`, in row-major order, to the tensor's dtype and layout and copies them to its device.
void from_host(std::span<const double> values, const Tensor& tensor, Stream& stream);

}  // namespace umbra
