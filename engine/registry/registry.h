// Registry: every kernel of this build, and the choice of one for a problem.
//
// An op's kernel variants are its rungs; the ordered list of them is its ladder, in the order of ladder.def with
// the reference first. The registry chooses the last rung for the device and dtype that does not decline. A rung
// that the user prefers takes precedence, and a peer (Kernel::missing) is chosen only when it is preferred. The
// choice is a pure function of op, device and preferences, and the table can be printed.
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
  /// Adds an op. Throws Error if the registry has it already, or if a rung is repeated or belongs to another op.
  void add(const Ladder& ladder);
  /// Adds a rung after those that its op has. Throws Error if the rung is repeated or its op is unknown.
  void add(const Kernel& kernel);

  /// All ladders in the order in which they were added. Valid until the next add().
  std::span<const Ladder> ladders() const { return ladders_; }

  /// The kernel for `op` on `device`, valid until the next add(). If there is none, throws an Error that lists
  /// every candidate and why it was not chosen.
  const Kernel& choose(const Op& op, Device::Kind device) const;

  /// The same, or null if no rung supports the problem.
  const Kernel* choose_if_any(const Op& op, Device::Kind device) const;

  /// The position of that kernel in the op's ladder (the reference is 0); empty if no rung supports the problem.
  std::optional<std::size_t> height(const Op& op, Device::Kind device) const;

  /// Why choose() returns its kernel: "the last of 3; not cpu_3_few_inputs: more than 4 input channels".
  std::string why(const Op& op, Device::Kind device) const;

  /// From now on `rung` is used for `op` wherever it exists for the device and dtype and does not decline.
  /// The name of an op with passes means all three: "linear" is linear_fprop, linear_dgrad and linear_wgrad;
  /// dimensions may follow the name, as in "conv3d". Throws an Error that lists the known names if there is no
  /// such op or rung, and one with the library's reason if the rung is a peer that is not available.
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
