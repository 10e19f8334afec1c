// Arrays in the memory of the device on which the tests of this folder run.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "engine/runtime/backend.h"

namespace umbra::cuda_test {

template <class T>
class OnDevice {
 public:
  explicit OnDevice(std::size_t count)
      : count_(count), data_(static_cast<T*>(cuda_backend().allocate(0, count * sizeof(T)))) {}
  explicit OnDevice(const std::vector<T>& values) : OnDevice(values.size()) {
    cuda_backend().copy(0, nullptr, data_, values.data(), count_ * sizeof(T));
  }
  ~OnDevice() { cuda_backend().release(0, data_, count_ * sizeof(T)); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  T* data() const { return data_; }
  /// The contents once everything that was launched is done; an error of the device fails the test.
  std::vector<T> values() const {
    std::vector<T> all(count_);
    EXPECT_EQ(cuda_backend().launch_error(0), "");
    cuda_backend().copy(0, nullptr, all.data(), data_, count_ * sizeof(T));
    cuda_backend().synchronize(0, nullptr);
    return all;
  }

 private:
  std::size_t count_;
  T* data_;
};

}  // namespace umbra::cuda_test
