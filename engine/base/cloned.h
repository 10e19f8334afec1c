// Cloned: an object behind a base class that is copied together with whoever holds it.
#pragma once

#include <memory>

namespace umbra {

/// T has `std::unique_ptr<T> clone() const`. Never empty, but for one that was moved from.
template <class T>
class Cloned {
 public:
  Cloned(std::unique_ptr<T> object) : object_(std::move(object)) {}
  Cloned(const Cloned& other) : object_(other->clone()) {}
  Cloned(Cloned&&) noexcept = default;
  Cloned& operator=(const Cloned& other) {
    object_ = other->clone();
    return *this;
  }
  Cloned& operator=(Cloned&&) noexcept = default;
  ~Cloned() = default;

  T& operator*() { return *object_; }
  const T& operator*() const { return *object_; }
  T* operator->() { return object_.get(); }
  const T* operator->() const { return object_.get(); }

 private:
  std::unique_ptr<T> object_;
};

}  // namespace umbra
