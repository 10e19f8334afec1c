#include "engine/tensor/tensor.h"

#include <algorithm>

#include "engine/runtime/backend.h"

namespace umbra {

Tensor::Tensor(std::shared_ptr<Storage> storage, std::size_t byte_offset, Shape shape, DType dtype,
               Layout layout)
    : storage_(std::move(storage)),
      offset_(byte_offset),
      shape_(shape),
      dtype_(dtype),
      layout_(std::move(layout)) {
  require(row_major() || shape_.rank() >= 2, "a batch-last tensor has at least two axes, not ", shape_);
  require(offset_ + bytes() <= storage_->bytes(), "a tensor of shape ", shape_, " does not fit into ",
          storage_->bytes(), " bytes at offset ", offset_);
}

Tensor Tensor::reshaped(Shape shape) const {
  require(row_major(), "a batch-last tensor of shape ", shape_, " cannot be reshaped to ", shape);
  require(shape.count() == count(), "a tensor of shape ", shape_, " cannot be reshaped to ", shape);
  Tensor other = *this;
  other.shape_ = shape;
  return other;
}

Tensor Tensor::stored_positions() const {
  require(!row_major(), "a row-major tensor of shape ", shape_, " stores all positions");
  const std::int64_t row = shape_[0] * shape_[1];
  return {
      storage_, offset_, {shape_[0], shape_[1], row == 0 ? 0 : count() / row}, dtype_, Layout::batch_last()};
}

Tensor Tensor::elements(std::int64_t begin, std::int64_t count) const {
  require(begin >= 0 && count >= 0 && begin + count <= this->count(), "elements ", begin, " to ",
          begin + count, " were requested from a tensor of ", this->count());
  return {storage_, offset_ + static_cast<std::size_t>(begin) * size_of(dtype_), {count}, dtype_};
}

void Tensor::check_host(DType wanted) const {
  require(dtype_ == wanted, "a tensor of ", name_of(dtype_), " was read as ", name_of(wanted));
  require(device().kind == Device::Kind::kCpu, "a tensor on ", name_of(device()), " was read on the host");
}

Tensor allocate_tensor(Device device, Shape shape, DType dtype, Layout layout) {
  const std::size_t bytes = static_cast<std::size_t>(layout.stored(shape)) * size_of(dtype);
  return Tensor(allocate_storage(device, bytes), 0, shape, dtype, std::move(layout));
}

void copy(const Tensor& from, const Tensor& to, const Stream& stream) {
  require(from.dtype() == to.dtype() && from.count() == to.count() && from.layout() == to.layout(),
          "copy: counts, dtypes and layouts must be equal, but the tensors are ", from.shape(), " ",
          name_of(from.dtype()), " and ", to.shape(), " ", name_of(to.dtype()));
  // The device that takes part orders the copy in its stream; between two host tensors there is none.
  const Device device = from.device().kind == Device::Kind::kCpu ? to.device() : from.device();
  backend_of(device.kind).copy(device.index, stream.native(), to.data(), from.data(), from.bytes());
}

namespace {

Tensor on_host(const Tensor& tensor, Stream& stream) {
  Tensor host = tensor;
  if (tensor.device().kind != Device::Kind::kCpu) {
    host = allocate_tensor({}, tensor.shape(), tensor.dtype(), tensor.layout());
    copy(tensor, host, stream);
  }
  stream.synchronize();
  return host;
}

}  // namespace

Tensor row_major_on_host(const Tensor& tensor, Stream& stream) {
  Tensor host = on_host(tensor, stream);
  if (host.row_major()) return host;
  Tensor out = allocate_tensor({}, host.shape(), host.dtype());
  with_element(host.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const std::span<const T> from = host.values<T>();
    const std::span<T> to = out.values<T>();
    if (host.count() != out.count()) std::fill(to.begin(), to.end(), zero);
    const auto run = static_cast<std::size_t>(host.shape()[0]);
    const auto stride = static_cast<std::size_t>(Layout::row_stride(host.shape()));
    host.layout().for_each_run(host.shape(), [&](std::int64_t memory, std::int64_t logical) {
      for (std::size_t i = 0; i < run; ++i) {
        to[static_cast<std::size_t>(logical) + i * stride] = from[static_cast<std::size_t>(memory) + i];
      }
    });
  });
  return out;
}

void assign(const Tensor& to, const Tensor& from, Stream& stream) {
  require(from.row_major() && from.shape() == to.shape() && from.dtype() == to.dtype(),
          "assign: the source must be row-major with the shape and dtype of the target, but they are ",
          from.shape(), " ", name_of(from.dtype()), " and ", to.shape(), " ", name_of(to.dtype()));
  if (to.row_major()) {
    copy(from, to, stream);
    stream.synchronize();
    return;
  }
  const bool direct = to.device().kind == Device::Kind::kCpu;
  const Tensor host = direct ? to : allocate_tensor({}, to.shape(), to.dtype(), to.layout());
  with_element(host.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const std::span<const T> source = from.values<T>();
    const std::span<T> target = host.values<T>();
    const auto run = static_cast<std::size_t>(host.shape()[0]);
    const auto stride = static_cast<std::size_t>(Layout::row_stride(host.shape()));
    host.layout().for_each_run(host.shape(), [&](std::int64_t memory, std::int64_t logical) {
      for (std::size_t i = 0; i < run; ++i) {
        target[static_cast<std::size_t>(memory) + i] = source[static_cast<std::size_t>(logical) + i * stride];
      }
    });
  });
  if (!direct) copy(host, to, stream);
  stream.synchronize();
}

void assign_rows(const Tensor& to, std::int64_t first, std::span<const float> rows) {
  const std::int64_t row = to.shape().rank() == 0 ? 1 : to.shape().count_from(1);
  const auto count = row == 0 ? 0 : static_cast<std::int64_t>(rows.size()) / row;
  const bool floating = to.dtype() == DType::kF32 || to.dtype() == DType::kF64 || to.dtype() == DType::kBf16;
  require(floating && first >= 0 && (first + count) * row <= to.shape().count(), "rows ", first, " to ",
          first + count, " of ", to.shape(), " ", name_of(to.dtype()), " cannot be assigned from floats");
  with_element(to.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* const target = to.values<T>().data();
    const auto convert = [](float value) { return static_cast<T>(value); };
    if (to.row_major()) {
      std::transform(rows.begin(), rows.end(), target + first * row, convert);
      return;
    }
    to.layout().for_each_run(to.shape(), [&](std::int64_t memory, std::int64_t logical) {
      const float* from = rows.data() + logical;
      for (std::int64_t i = 0; i < count; ++i) target[memory + first + i] = convert(from[i * row]);
    });
  });
}

std::vector<double> to_host(const Tensor& tensor, Stream& stream) {
  const Tensor host = row_major_on_host(tensor, stream);
  std::vector<double> out;
  with_element(host.dtype(), [&](auto zero) {
    const auto values = host.values<decltype(zero)>();
    out.assign(values.begin(), values.end());
  });
  return out;
}

void from_host(std::span<const double> values, const Tensor& tensor, Stream& stream) {
  require(static_cast<std::int64_t>(values.size()) == tensor.shape().count(), values.size(),
          " values given for a tensor of shape ", tensor.shape());
  const bool direct = tensor.row_major() && tensor.device().kind == Device::Kind::kCpu;
  const Tensor host = direct ? tensor : allocate_tensor({}, tensor.shape(), tensor.dtype());
  with_element(host.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const std::span<T> out = host.values<T>();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(values[i]);
  });
  if (!direct) assign(tensor, host, stream);
}

}  // namespace umbra
