// Tensor: a shape and a layout over a piece of storage. Its elements are always contiguous in memory, so that
// no kernel needs a stride. Copying a Tensor copies the handle, not the elements.
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

/// A handle to an n-dimensional array on a device, shared between copies.
class Tensor {
 public:
  Tensor() = default;  ///< undefined: refers to no storage
  /// A view of `storage` from `byte_offset` on. Throws Error when the tensor does not fit into the storage,
  /// or when the layout is batch-last and `shape` has fewer than two axes.
  Tensor(std::shared_ptr<Storage> storage, std::size_t byte_offset, Shape shape, DType dtype,
         Layout layout = {});

  /// Whether the tensor has storage. device(), data() and values() need a defined tensor.
  bool defined() const { return storage_ != nullptr; }
  /// Extents in PyTorch's order of axes, whatever the layout.
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }            ///< type of an element
  const Layout& layout() const { return layout_; }  ///< order of the elements in memory
  /// Whether the layout is row-major, which PyTorch calls contiguous.
  bool row_major() const { return !layout_.is_batch_last(); }
  /// Number of elements in memory: shape().count(), unless the layout leaves some positions out.
  std::int64_t count() const { return layout_.stored(shape_); }
  /// Size in memory, in bytes.
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype_); }
  /// The device that holds the elements.
  Device device() const { return storage_->device(); }
  /// The first element in memory: a pointer of the device, not readable on the host unless device() is a CPU.
  void* data() const { return static_cast<char*>(storage_->data()) + offset_; }

  /// A view of the same elements with another shape of the same count. Throws Error when the count differs or
  /// the tensor is not row-major.
  Tensor reshaped(Shape shape) const;
  /// A view [a0, a1, positions] of a batch-last tensor: the spatial positions that are stored, as one axis in their
  /// order in memory (Layout).
  Tensor stored_positions() const;
  /// A view [count] of `count` elements from `begin` on, in their order in memory. Throws Error when the
  /// range exceeds the tensor.
  Tensor elements(std::int64_t begin, std::int64_t count) const;

  /// The elements of a CPU tensor in their order in memory. Throws Error when T is not the dtype or the
  /// device is not a CPU.
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

/// Calls body(zero), where zero has the C++ type of `dtype`: how generic code is written for every dtype.
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

/// A tensor with newly allocated, uninitialised storage.
Tensor allocate_tensor(Device device, Shape shape, DType dtype, Layout layout = {});

/// Copies the elements of `from` to `to`, on any two devices, in the order of `stream`. Throws Error unless
/// counts, dtypes and layouts are equal.
void copy(const Tensor& from, const Tensor& to, const Stream& stream);

/// The tensor on the host in row-major order, with zeros at positions that its layout does not store. Returns
/// `tensor` itself when it is already row-major on the host. Waits for `stream`.
Tensor row_major_on_host(const Tensor& tensor, Stream& stream);
/// Writes `from`, a row-major tensor on the host, to `to` in its layout and on its device. Throws Error
/// unless shapes and dtypes are equal. Waits for `stream`.
void assign(const Tensor& to, const Tensor& from, Stream& stream);

/// Writes rows to a part of `to`, which is on the host: rows [first, first + n) along axis 0, where `rows`
/// holds n of them in row-major order. For tensors too large to be held in memory twice. Values are rounded
/// to a bfloat16 tensor. Throws Error when the rows exceed the tensor or its dtype is an integer.
void assign_rows(const Tensor& to, std::int64_t first, std::span<const float> rows);

/// The elements of a tensor in row-major order, converted to double from any dtype, layout and device. Waits
/// for `stream`.
std::vector<double> to_host(const Tensor& tensor, Stream& stream);
/// Converts `values`, in row-major order, to the tensor's dtype and layout and copies them to its device.
/// Throws Error unless values.size() is the count of the shape.
void from_host(std::span<const double> values, const Tensor& tensor, Stream& stream);

}  // namespace umbra
