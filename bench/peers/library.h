// A shared library that is loaded on first use, so that a program starts without it.
#pragma once

#include <initializer_list>
#include <string>

namespace umbra {

class Library {
 public:
  /// Loads the first of `names` that exists: first on the loader's path (including LD_LIBRARY_PATH), then in
  /// the folder of the CUDA Toolkit with which this program was built. It stays loaded.
  explicit Library(std::initializer_list<const char*> names);

  /// Why no library was loaded; "" if one was.
  const std::string& missing() const { return missing_; }
  /// Sets `function` to the symbol `name`; if it is missing, the library counts as missing.
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
