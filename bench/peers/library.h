// A shared library that is loaded when it is first asked for, so that a program starts without it.
#pragma once

#include <initializer_list>
#include <string>

namespace umbra {

class Library {
 public:
  /// Loads the first of `names` that is there: where the loader looks (LD_LIBRARY_PATH among it), then in the
  /// folder of the CUDA Toolkit this program was built with. It stays loaded.
  explicit Library(std::initializer_list<const char*> names);

  /// Why there is none, in a sentence; "" when there is one.
  const std::string& missing() const { return missing_; }
  /// Sets `function` to the symbol of that name; one that is not there makes the library a missing one.
  template <class Function>
  void find(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* symbol(const char* name);

  void* handle_ = nullptr;
  std::string name_, missing_;
};

}  // namespace umbra
