// Copies of tensors, and a guard that puts values back.
#pragma once

#include <vector>

#include "engine/nn/module.h"

namespace umbra::learn {

/// A tensor of its own with the same elements and layout; an undefined one stays undefined.
inline Tensor copied(const Tensor& tensor, Stream& stream) {
  if (!tensor.defined()) return {};
  Tensor copy = allocate_tensor(tensor.device(), tensor.shape(), tensor.dtype(), tensor.layout());
  umbra::copy(tensor, copy, stream);
  stream.synchronize();
  return copy;
}

/// Gives the tensors back the values that they had when it was made.
class KeptValues {
 public:
  /// The stream must outlive the object.
  KeptValues(std::vector<NamedTensor> tensors, Stream& stream)
      : tensors_(std::move(tensors)), stream_(stream) {
    for (const NamedTensor& named : tensors_) copies_.push_back(copied(named.tensor, stream_));
  }
  ~KeptValues() {
    for (std::size_t i = 0; i < tensors_.size(); ++i) umbra::copy(copies_[i], tensors_[i].tensor, stream_);
    stream_.synchronize();
  }
  KeptValues(const KeptValues&) = delete;
  KeptValues& operator=(const KeptValues&) = delete;

 private:
  std::vector<NamedTensor> tensors_;
  std::vector<Tensor> copies_;
  Stream& stream_;
};

}  // namespace umbra::learn
