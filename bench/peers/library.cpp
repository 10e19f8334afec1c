#include "bench/peers/library.h"

#include <dlfcn.h>

#include "engine/base/error.h"

namespace umbra {

Library::Library(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    for (const std::string& folder : {std::string(), std::string(UMBRA_PEER_FOLDER "/")}) {
      if (handle_ != nullptr) return;
      name_ = folder + name;
      handle_ = dlopen(name_.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle_ != nullptr)
        missing_.clear();
      else if (missing_.empty())
        missing_ = concat(name, " could not be loaded: ", dlerror());
    }
  }
}

void* Library::symbol(const char* name) {
  if (handle_ == nullptr) return nullptr;
  void* const found = dlsym(handle_, name);
  if (found == nullptr) missing_ = concat(name_, " has no function ", name);
  return found;
}

}  // namespace umbra
