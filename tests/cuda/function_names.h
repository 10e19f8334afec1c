// The names of functions of the running program, from its symbol table.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace umbra::cuda_test {

class FunctionNames {
 public:
  /// Reads the symbol table of the running program. Throws Error if it has none.
  FunctionNames();
  /// The demangled name of the function that begins at this address; throws Error if there is none.
  std::string at(const void* function) const;

 private:
  std::map<std::uintptr_t, std::string> names_;  // mangled
};

}  // namespace umbra::cuda_test
