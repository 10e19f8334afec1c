// Cloned: owns a polymorphic object and copies it (a deep copy) when its owner is copied.
#pragma once

#include <memory>

namespace umbra {

/// T must have `std::unique_ptr<T> clone() const`. Never empty, except after a move.
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
