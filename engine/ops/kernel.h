// Kernel: one rung of an op's ladder, a function that solves the problems it does not decline.
//
// A kernel never allocates, never synchronises and never throws: the caller owns its memory, asks for the
// size of its workspace before the call, and asks declines() whether the kernel supports the problem.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/base/device.h"
#include "engine/ops/op.h"
#include "engine/runtime/stream.h"

namespace umbra {

struct Problems;

struct Kernel {
  std::string_view op;    // Op::name() of the problems it solves
  std::string_view rung;  // "reference", "cpu_2_tiles", …: as in ladder.def
  Device::Kind device;
  DType dtype;
  std::string (*declines)(const Op&);   // "" when it supports the problem, otherwise why not
  std::size_t (*workspace)(const Op&);  // bytes, 64-byte aligned when handed over
  void (*run)(const Op&, Buffers, void* workspace, Stream&);
  /// Null for umbra's own kernels. A peer (a kernel of another library that umbra is compared with) is used
  /// only where the user prefers it; this function returns why it is not available, "" when it is. A peer
  /// may allocate and wait when it meets a problem for the first time (it searches for its best plan), and
  /// throw when the library fails.
  std::string (*missing)() = nullptr;
};

/// Which problems of an op a rung is asked to solve.
enum class Forms {
  kUsual,  ///< not those that few rungs support: for them O::unusual(), if there is such a function, says why not
  kAll,  ///< all
};

/// A rung for ops of type O from functions on O or a base of it: Run(op, buffers, workspace, stream),
/// Declines(op) -> std::string, Workspace(op) -> std::size_t. A rung's file ends with this call, and
/// ladder.def gives the rung its name and device; a kernel that is in no list (a peer, one that a test
/// defines) passes both.
template <class O, auto Run, auto Declines = nullptr, auto Workspace = nullptr, Forms kForms = Forms::kUsual>
Kernel make_kernel(std::string_view rung = {}, DType dtype = DType::kF32,
                   Device::Kind device = Device::Kind::kCpu) {
  Kernel kernel{O::kName, rung, device, dtype, nullptr, nullptr, nullptr};
  kernel.run = [](const Op& problem, Buffers buffers, void* workspace, Stream& stream) {
    Run(static_cast<const O&>(problem), buffers, workspace, stream);
  };
  kernel.declines = [](const Op& problem) -> std::string {
    if constexpr (kForms == Forms::kUsual && requires(const O& op) { op.unusual(); }) {
      std::string why = static_cast<const O&>(problem).unusual();
      if (!why.empty()) return why;
    }
    if constexpr (std::is_null_pointer_v<decltype(Declines)>)
      return {};
    else
      return Declines(static_cast<const O&>(problem));
  };
  kernel.workspace = [](const Op& problem) -> std::size_t {
    if constexpr (std::is_null_pointer_v<decltype(Workspace)>)
      return 0;
    else
      return Workspace(static_cast<const O&>(problem));
  };
  return kernel;
}

/// An op with its rungs from the reference upwards (the last that does not decline is chosen) and the
/// problems on which every rung is tested and timed.
struct Ladder {
  std::string_view op;
  std::vector<Kernel> kernels;
  Problems (*problems)(DType);
};

/// The definition of ops of type O, which is the start of its ladder: the reference on float and on double,
/// and the problems.
template <class O, auto F32, auto F64, auto Declines = nullptr, auto Workspace = nullptr>
Ladder define_op(Problems (*problems)(DType)) {
  return {O::kName,
          {make_kernel<O, F32, Declines, Workspace>("reference", DType::kF32),
           make_kernel<O, F64, Declines, Workspace>("reference", DType::kF64)},
          problems};
}

}  // namespace umbra
