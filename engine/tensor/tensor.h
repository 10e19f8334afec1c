// Tensor: a shape over a piece of storage. Always contiguous, so that no kernel needs a stride; copying a
// Tensor copies the handle, not the numbers. The layout of activations is NCDHW.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base/dtype.h"
#include "engine/base/shape.h"
#include "engine/runtime/storage.h"
#include "engine/runtime/stream.h"

namespace umbra {

class Tensor {
 public:
  Tensor() = default;  // holds nothing; see defined()
  Tensor(std::shared_ptr<Storage> storage, std::size_t byte_offset, Shape shape, DType dtype);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  std::int64_t count() const { return shape_.count(); }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype_); }
  Device device() const { return storage_->device(); }
  void* data() const { return static_cast<char*>(storage_->data()) + offset_; }

  /// The same numbers under another shape of the same count.
  Tensor reshaped(Shape shape) const;

  /// The numbers of a CPU tensor. Throws Error when the dtype or the device is another.
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
};

/// A tensor with storage of its own and arbitrary contents.
Tensor allocate_tensor(Device device, Shape shape, DType dtype);

/// Copies equal counts of equal dtype between any two devices, in the order of `stream`.
void copy(const Tensor& from, const Tensor& to, Stream& stream);

/// The numbers of a tensor on the host, in double, whatever its dtype and device. Waits for `stream`.
std::vector<double> to_host(const Tensor& tensor, Stream& stream);
/// Converts `values` to the tensor's dtype and copies them to its device.
void from_host(std::span<const double> values, const Tensor& tensor, Stream& stream);

}  // namespace umbra
