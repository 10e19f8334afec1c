// Registry: every kernel of this build, and the choice of one for a problem.
//
// The ladder of an op stands in the order of ladder.def, reference first. The choice is the last rung for the device and
// the dtype that does not decline; a preference of the user's goes first, and a peer (Kernel::missing) is
// never chosen without one. A choice never changes behind the user's back: the table is printable and the
// choice is a pure function of op, device and preferences.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

class Registry {
 public:
  /// Adds an op. Throws Error where the registry has it already, or for a rung twice or of another op.
  void add(const Ladder& ladder);
  /// Adds a rung behind those that its op has. Throws Error for a rung twice or of an unknown op.
  void add(const Kernel& kernel);

  /// Everything, in the order in which it was added. Valid until the next add().
  std::span<const Ladder> ladders() const { return ladders_; }

  /// The kernel for `op` on `device`, valid until the next add(). Throws Error naming every candidate and why
  /// it declined.
  const Kernel& choose(const Op& op, Device::Kind device) const;

  /// The same, or null where no rung takes it.
  const Kernel* choose_if_any(const Op& op, Device::Kind device) const;

  /// The place of that kernel in the op's ladder, the reference's is 0; none where no rung takes it.
  std::optional<std::size_t> height(const Op& op, Device::Kind device) const;

  /// Why choose() takes what it takes, in words: "the last of 3 that take it; cpu_3_few_inputs: more than 4
  /// input channels".
  std::string why(const Op& op, Device::Kind device) const;

  /// From now on `rung` is taken for `op` wherever it exists for the device and dtype and does not decline.
  /// The name of an op with passes means all three: "linear" is linear_fprop, linear_dgrad and linear_wgrad,
  /// and dimensions may follow it, "conv3d". Throws Error naming the known ones
  /// when there is no such op or rung, and in the library's words when the rung is a peer that cannot be had.
  void prefer(std::string_view op, std::string_view rung);
  /// The same from text: "conv_fprop=reference,relu_forward=cpu_1_simd". Empty text changes nothing.
  void prefer(std::string_view text);

  /// One line per rung: op, rung, device, dtype; an asterisk marks a preference.
  std::string table() const;

 private:
  const Ladder* find(std::string_view op) const;
  std::string op_names() const;

  std::vector<Ladder> ladders_;
  std::map<std::string_view, std::size_t> index_;                   // op name -> place in ladders_
  std::map<std::string_view, std::string, std::less<>> preferred_;  // op name -> rung
};

/// Every op with every rung of this build.
Registry make_registry();

}  // namespace umbra
