#include "engine/tensor/tensor.h"

#include "engine/runtime/backend.h"

namespace umbra {

Tensor::Tensor(std::shared_ptr<Storage> storage, std::size_t byte_offset, Shape shape, DType dtype)
    : storage_(std::move(storage)), offset_(byte_offset), shape_(shape), dtype_(dtype) {
  require(offset_ + bytes() <= storage_->bytes(), "a tensor of shape ", shape_.text(), " does not fit into ",
          storage_->bytes(), " bytes at offset ", offset_);
}

Tensor Tensor::reshaped(Shape shape) const {
  require(shape.count() == count(), "a tensor of shape ", shape_.text(), " cannot be seen as ", shape.text());
  Tensor other = *this;
  other.shape_ = shape;
  return other;
}

void Tensor::check_host(DType wanted) const {
  require(dtype_ == wanted, "a tensor of ", name_of(dtype_), " was read as ", name_of(wanted));
  require(device().kind == Device::Kind::kCpu, "a tensor on ", name_of(device()), " was read on the host");
}

Tensor allocate_tensor(Device device, Shape shape, DType dtype) {
  const std::size_t bytes = static_cast<std::size_t>(shape.count()) * size_of(dtype);
  return Tensor(allocate_storage(device, bytes), 0, shape, dtype);
}

void copy(const Tensor& from, const Tensor& to, Stream& stream) {
  require(from.dtype() == to.dtype() && from.count() == to.count(), "copy from ", from.shape().text(), " ",
          name_of(from.dtype()), " to ", to.shape().text(), " ", name_of(to.dtype()));
  // A queue of the device that takes part orders the copy; two host tensors need none.
  const Device device = from.device().kind == Device::Kind::kCpu ? to.device() : from.device();
  backend_of(device.kind).copy(device.index, stream.native(), to.data(), from.data(), from.bytes());
}

namespace {

template <class T>
std::vector<double> widened(const Tensor& tensor) {
  const std::span<T> values = tensor.values<T>();
  return {values.begin(), values.end()};
}

template <class T>
void narrowed(std::span<const double> values, const Tensor& tensor) {
  const std::span<T> out = tensor.values<T>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(values[i]);
}

}  // namespace

std::vector<double> to_host(const Tensor& tensor, Stream& stream) {
  Tensor host = tensor;
  if (tensor.device().kind != Device::Kind::kCpu) {
    host = allocate_tensor({}, tensor.shape(), tensor.dtype());
    copy(tensor, host, stream);
  }
  stream.synchronize();
  switch (host.dtype()) {
    case DType::kF32:
      return widened<float>(host);
    case DType::kF64:
      return widened<double>(host);
    case DType::kI32:
      return widened<std::int32_t>(host);
    case DType::kI64:
      return widened<std::int64_t>(host);
  }
  return {};
}

void from_host(std::span<const double> values, const Tensor& tensor, Stream& stream) {
  require(static_cast<std::int64_t>(values.size()) == tensor.count(), values.size(),
          " values given for a tensor of shape ", tensor.shape().text());
  const bool on_host = tensor.device().kind == Device::Kind::kCpu;
  const Tensor host = on_host ? tensor : allocate_tensor({}, tensor.shape(), tensor.dtype());
  switch (host.dtype()) {
    case DType::kF32:
      narrowed<float>(values, host);
      break;
    case DType::kF64:
      narrowed<double>(values, host);
      break;
    case DType::kI32:
      narrowed<std::int32_t>(values, host);
      break;
    case DType::kI64:
      narrowed<std::int64_t>(values, host);
      break;
  }
  if (!on_host) {
    copy(host, tensor, stream);
    stream.synchronize();
  }
}

}  // namespace umbra
