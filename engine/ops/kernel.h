// Kernel: one rung of an op's ladder, a function that solves the problems it does not decline.
//
// A kernel never allocates, never synchronises and never throws: its memory is the caller's, its workspace is
// asked for beforehand, and what it cannot do it declines beforehand in words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include "engine/base/device.h"
#include "engine/ops/op.h"
#include "engine/runtime/stream.h"

namespace umbra {

struct Kernel {
  std::string_view op;    // Op::name() of the problems it solves
  std::string_view rung;  // "reference", "cpu_2_tiles", …: the file's name
  Device::Kind device;
  DType dtype;
  std::string (*declines)(const Op&);   // "" when it takes the problem, otherwise why not
  std::size_t (*workspace)(const Op&);  // bytes, 64-byte aligned when handed over
  void (*run)(const Op&, Buffers, void* workspace, Stream&);
  /// Null for umbra's own. A peer, the library of others that umbra is measured against, is taken only where
  /// it is preferred, and says here why it cannot be had, "" when it can. It may allocate and wait when it
  /// meets a problem for the first time (it looks for its best plan), and throw when the library fails.
  std::string (*missing)() = nullptr;
};

inline std::string declines_nothing(const Op&) {
  return {};
}
inline std::size_t no_workspace(const Op&) {
  return 0;
}

/// A rung for ops of type O from typed functions; `Declines` and `Workspace` may be nullptr.
template <class O, auto Run, auto Declines = nullptr, auto Workspace = nullptr>
Kernel make_kernel(std::string_view op, std::string_view rung, DType dtype,
                   Device::Kind device = Device::Kind::kCpu) {
  Kernel kernel{op, rung, device, dtype, declines_nothing, no_workspace, nullptr};
  kernel.run = [](const Op& problem, Buffers buffers, void* workspace, Stream& stream) {
    Run(static_cast<const O&>(problem), buffers, workspace, stream);
  };
  if constexpr (!std::is_null_pointer_v<decltype(Declines)>) {
    kernel.declines = [](const Op& problem) -> std::string {
      return Declines(static_cast<const O&>(problem));
    };
  }
  if constexpr (!std::is_null_pointer_v<decltype(Workspace)>) {
    kernel.workspace = [](const Op& problem) -> std::size_t {
      return Workspace(static_cast<const O&>(problem));
    };
  }
  return kernel;
}

/// What an op's table.cpp offers: its rungs from the reference upwards (the last that does not decline is
/// chosen) and the problems every rung is tested and timed on.
struct OpFamily {
  std::string_view op;
  std::vector<Kernel> kernels;
  Problems (*problems)(DType);
};

}  // namespace umbra
