#include "engine/registry/registry.h"

#include <algorithm>
#include <iomanip>
#include <ranges>
#include <sstream>

#include "engine/base/error.h"

namespace umbra {
namespace {

std::string describe(const Kernel& kernel) {
  return concat(kernel.rung, " (", name_of(kernel.device), " ", name_of(kernel.dtype), ")");
}

bool same_place(const Kernel& a, const Kernel& b) {
  return a.rung == b.rung && a.device == b.device && a.dtype == b.dtype;
}

bool takes(const Kernel& kernel, const Op& op, Device::Kind device) {
  return kernel.device == device && kernel.dtype == op.dtype && kernel.declines(op).empty();
}

/// Why `kernel` was not chosen.
std::string reason(const Kernel& kernel, const Op& op, Device::Kind device, bool preferred) {
  if (kernel.device != device) return concat("runs on ", name_of(kernel.device));
  if (kernel.dtype != op.dtype) return concat("computes in ", name_of(kernel.dtype));
  if (kernel.missing != nullptr && !preferred) return "is a peer, used only when it is preferred";
  return kernel.declines(op);
}

[[noreturn]] void fail_to_choose(const Ladder& ladder, const Op& op, Device::Kind device,
                                 std::string_view preferred) {
  std::string candidates;
  for (const Kernel& kernel : ladder.kernels) {
    candidates += concat(candidates.empty() ? "" : "; ", describe(kernel), " ",
                         reason(kernel, op, device, kernel.rung == preferred));
  }
  fail("no kernel for ", op.name(), " on ", name_of(device), " in ", name_of(op.dtype),
       " supports the problem ", op.text(), "; candidates: ", candidates.empty() ? "none" : candidates);
}

/// The common name of the passes name_fprop, name_dgrad and name_wgrad: `name` without a suffix 2d or 3d.
std::string_view whole_op(std::string_view name) {
  return name.ends_with("2d") || name.ends_with("3d") ? name.substr(0, name.size() - 2) : name;
}
constexpr std::string_view kPasses[] = {"_fprop", "_dgrad", "_wgrad"};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

}  // namespace

void Registry::add(const Ladder& ladder) {
  const bool is_new = index_.try_emplace(ladder.op, ladders_.size()).second;
  require(is_new, "the op ", ladder.op, " was added twice");
  ladders_.push_back({ladder.op, {}, ladder.problems});
  for (const Kernel& kernel : ladder.kernels) {
    require(kernel.op == ladder.op, "the rung ", describe(kernel), " of ", kernel.op, " was added to the op ",
            ladder.op);
    add(kernel);
  }
}

void Registry::add(const Kernel& kernel) {
  const auto place = index_.find(kernel.op);
  require(place != index_.end(), "the rung ", describe(kernel), " belongs to the op ", kernel.op,
          ", which the registry does not have; it has ", op_names());
  require(kernel.run != nullptr, "the rung ", describe(kernel), " of ", kernel.op, " has no function");
  std::vector<Kernel>& kernels = ladders_[place->second].kernels;
  const bool twice = std::any_of(kernels.begin(), kernels.end(),
                                 [&](const Kernel& other) { return same_place(kernel, other); });
  require(!twice, "the op ", kernel.op, " has the rung ", describe(kernel), " twice");
  kernels.push_back(kernel);
}

const Ladder* Registry::find(std::string_view op) const {
  const auto place = index_.find(op);
  return place == index_.end() ? nullptr : &ladders_[place->second];
}

std::string Registry::op_names() const {
  std::string names;
  for (const Ladder& ladder : ladders_) names += concat(names.empty() ? "" : ", ", ladder.op);
  return names.empty() ? "none" : names;
}

const Kernel* Registry::choose_if_any(const Op& op, Device::Kind device) const {
  const Ladder* ladder = find(op.name());
  if (ladder == nullptr) return nullptr;
  if (const auto preference = preferred_.find(ladder->op); preference != preferred_.end()) {
    for (const Kernel& kernel : ladder->kernels)
      if (kernel.rung == preference->second && takes(kernel, op, device)) return &kernel;
  }
  // From the last on: every call of an op chooses, and most rungs need not be asked.
  for (const Kernel& kernel : std::views::reverse(ladder->kernels))
    if (kernel.missing == nullptr && takes(kernel, op, device)) return &kernel;
  return nullptr;
}

std::optional<std::size_t> Registry::height(const Op& op, Device::Kind device) const {
  const Kernel* chosen = choose_if_any(op, device);
  if (chosen == nullptr) return std::nullopt;
  return static_cast<std::size_t>(chosen - find(op.name())->kernels.data());
}

const Kernel& Registry::choose(const Op& op, Device::Kind device) const {
  const Ladder* ladder = find(op.name());
  if (ladder == nullptr) {
    fail("no kernel for ", op.name(), " on ", name_of(device), " in ", name_of(op.dtype), " (problem ",
         op.text(), "): the registry has no op of this name; it has ", op_names());
  }
  const Kernel* chosen = choose_if_any(op, device);
  const auto preference = preferred_.find(ladder->op);
  if (chosen == nullptr) {
    fail_to_choose(
        *ladder, op, device,
        preference == preferred_.end() ? std::string_view() : std::string_view(preference->second));
  }
  return *chosen;
}

std::string Registry::why(const Op& op, Device::Kind device) const {
  const Kernel& chosen = choose(op, device);
  const auto preference = preferred_.find(op.name());
  if (preference != preferred_.end() && preference->second == chosen.rung) return "preferred";
  int takers = 0;
  std::string declined;
  for (const Kernel& kernel : find(op.name())->kernels) {
    if (kernel.device != device || kernel.dtype != op.dtype) continue;
    const bool is_preferred = preference != preferred_.end() && preference->second == kernel.rung;
    if (kernel.missing != nullptr && !is_preferred) continue;
    const std::string reason = kernel.declines(op);
    takers += reason.empty() ? 1 : 0;
    if (!reason.empty()) declined += concat("; not ", kernel.rung, ": ", reason);
  }
  return concat(takers == 1 ? "the only one" : concat("the last of ", takers), declined);
}

void Registry::prefer(std::string_view op, std::string_view rung) {
  const Ladder* ladder = find(op);
  if (ladder == nullptr && find(concat(whole_op(op), kPasses[0])) != nullptr) {
    for (const std::string_view pass : kPasses) prefer(concat(whole_op(op), pass), rung);
    return;
  }
  if (ladder == nullptr)
    fail("cannot prefer ", op, "=", rung, ": there is no op ", op, "; known ops: ", op_names());
  std::string rungs;
  bool known = false;
  for (const Kernel& kernel : ladder->kernels) {
    known = known || kernel.rung == rung;
    if (kernel.rung == rung && kernel.missing != nullptr) {
      const std::string why = kernel.missing();
      require(why.empty(), "cannot prefer ", op, "=", rung, ": ", why);
    }
    rungs += concat(rungs.empty() ? "" : ", ", describe(kernel));
  }
  require(known, "cannot prefer ", op, "=", rung, ": the op ", op, " has no rung ", rung,
          "; its rungs: ", rungs);
  preferred_[ladder->op] = std::string(rung);
}

void Registry::prefer(std::string_view text) {
  if (trimmed(text).empty()) return;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view item = trimmed(text.substr(begin, end - begin));
    const std::size_t equals = item.find('=');
    require(equals != std::string_view::npos, "a kernel preference is written op=rung, but \"", item,
            "\" in \"", text, "\" is not");
    prefer(trimmed(item.substr(0, equals)), trimmed(item.substr(equals + 1)));
    begin = end + 1;
  }
}

std::string Registry::table() const {
  std::ostringstream out;
  const auto line = [&out](auto op, auto rung, auto device, auto dtype) {
    out << std::left << std::setw(24) << op << std::setw(24) << rung << std::setw(8) << device << dtype
        << '\n';
  };
  line("op", "rung", "device", "dtype");
  for (const Ladder& ladder : ladders_) {
    const auto preference = preferred_.find(ladder.op);
    for (const Kernel& kernel : ladder.kernels) {
      const bool marked = preference != preferred_.end() && preference->second == kernel.rung;
      line(ladder.op, concat(kernel.rung, marked ? " *" : ""), name_of(kernel.device), name_of(kernel.dtype));
    }
  }
  return out.str();
}

}  // namespace umbra
