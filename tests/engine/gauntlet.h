// The gauntlet: what every rung of every op must survive.
//
// A kernel runs between guard zones, on outputs and a workspace full of NaN, and must: leave guards and
// inputs alone, come within tolerance of the double-precision reference (a comparison that fails unless it
// holds, so that NaN never passes), match it exactly on small integers where the op is exact there, and give
// the same bits when it runs again on buffers with the alignment of a single element and with other garbage
// in its workspace, and on 1, 2 and 3 threads. A failure is one line that says how to repeat it.
#pragma once

#include <omp.h>

#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/ops/kernel.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/storage.h"
#include "tests/engine/gauntlet_bounds.h"
#include "tests/engine/gauntlet_fills.h"
#include "tests/engine/gauntlet_stem3d.h"

namespace umbra::gauntlet {

inline constexpr std::size_t kGuardBytes = 512;  // 64 elements of 8 bytes, on either side
inline constexpr std::byte kGuard{0xA5};
inline constexpr std::byte kNanPoison{0xFF};    // a NaN in float and double, -1 as an integer
inline constexpr std::byte kLargePoison{0x55};  // 1.5e13 as float: garbage of another kind

template <class T>
void encode_as(const std::vector<double>& values, std::byte* to) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = static_cast<T>(values[i]);
    std::memcpy(to + i * sizeof(T), &value, sizeof(T));
  }
}
template <class T>
std::vector<double> decode_as(const std::byte* from, std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}
inline void encode(DType dtype, const std::vector<double>& values, std::byte* to) {
  switch (dtype) {
    case DType::kF32:
      return encode_as<float>(values, to);
    case DType::kF64:
      return encode_as<double>(values, to);
    case DType::kI32:
      return encode_as<std::int32_t>(values, to);
    case DType::kI64:
      return encode_as<std::int64_t>(values, to);
    case DType::kBf16:
      return encode_as<Bf16>(values, to);
  }
}
inline std::vector<double> decode(DType dtype, const std::byte* from, std::size_t count) {
  switch (dtype) {
    case DType::kF32:
      return decode_as<float>(from, count);
    case DType::kF64:
      return decode_as<double>(from, count);
    case DType::kI32:
      return decode_as<std::int32_t>(from, count);
    case DType::kI64:
      return decode_as<std::int64_t>(from, count);
    case DType::kBf16:
      return decode_as<Bf16>(from, count);
  }
  return {};
}

/// Memory on a device between two guard zones, with an image of all of it on the host.
class Guarded {
 public:
  Guarded(Stream& stream, std::size_t bytes, std::size_t shift, std::byte poison)
      : stream_(stream),
        bytes_(bytes),
        start_(kGuardBytes + shift),
        image_(start_ + bytes + kGuardBytes, kGuard) {
    std::fill_n(data(), bytes_, poison);
    storage_ = allocate_storage(stream.device(), image_.size());
  }
  std::byte* data() { return image_.data() + start_; }
  /// Where the kernel finds it: null when it has no bytes, as in the tensor layer.
  void* device_data() const {
    return bytes_ == 0 ? nullptr : static_cast<std::byte*>(storage_->data()) + start_;
  }
  void upload() const { copy(storage_->data(), image_.data()); }
  void download() { copy(image_.data(), storage_->data()); }
  bool guards_intact() const {
    const auto guard = [](std::byte b) { return b == kGuard; };
    const auto first = image_.begin(), last = image_.end();
    return std::all_of(first, first + static_cast<std::ptrdiff_t>(start_), guard) &&
           std::all_of(last - static_cast<std::ptrdiff_t>(kGuardBytes), last, guard);
  }

 private:
  void copy(void* to, const void* from) const {
    const Device device = stream_.device();
    backend_of(device.kind).copy(device.index, stream_.native(), to, from, image_.size());
    stream_.synchronize();
  }

  Stream& stream_;
  std::size_t bytes_, start_;
  std::vector<std::byte> image_;
  std::shared_ptr<Storage> storage_;
};

/// One way of running a kernel; none may change a bit of the result.
struct Setting {
  int threads;   // of the CPU; on a GPU, which of the orders of blocks and threads (counted from 1)
  bool shifted;  // buffers start one element off an aligned address
  std::byte poison;
  std::string text() const {
    return concat("threads=", threads, shifted ? " shifted" : "",
                  poison == kNanPoison ? "" : " other-garbage");
  }
};

/// Chooses the order in which a GPU's blocks and threads run, where that can be chosen.
inline void (*set_schedule)(int which) = nullptr;
/// Larger problems are left out.
inline double most_flops = std::numeric_limits<double>::infinity();
/// Each problem sees one pattern, which take turns: for emulated tensor cores, which take a second for one.
inline bool one_pattern_each = false;
/// Problems that are left out besides.
inline bool (*leaves_out)(const Op&) = nullptr;

struct Outcome {
  std::vector<std::vector<std::byte>> outputs;  // one per buffer; empty for inputs
  std::string violation;                        // what was touched that must not be; empty when nothing was
};

inline Outcome run_kernel(const Kernel& kernel, const Op& op, const Values& inputs, const Setting& setting) {
  const std::vector<BufferSpec> specs = op.buffers();
  const Device device{kernel.device, 0};
  Stream stream(device);
  std::vector<std::unique_ptr<Guarded>> memory;
  std::vector<void*> pointers;
  std::vector<std::vector<std::byte>> before;
  for (std::size_t b = 0; b < specs.size(); ++b) {
    const std::size_t size = size_of(specs[b].dtype), bytes = static_cast<std::size_t>(specs[b].count) * size;
    memory.push_back(std::make_unique<Guarded>(stream, bytes, setting.shifted ? size : 0, setting.poison));
    if (specs[b].access != Access::kOut) encode(specs[b].dtype, inputs[b], memory[b]->data());
    before.emplace_back(memory[b]->data(), memory[b]->data() + bytes);
    memory[b]->upload();
    pointers.push_back(memory[b]->device_data());
  }
  Guarded workspace(stream, kernel.workspace(op), 0, setting.poison);
  workspace.upload();
  if (device.kind == Device::Kind::kCpu) omp_set_num_threads(setting.threads);
  if (device.kind != Device::Kind::kCpu && set_schedule != nullptr) set_schedule(setting.threads - 1);
  kernel.run(op, pointers, workspace.device_data(), stream);
  const std::string error = backend_of(device.kind).launch_error(device.index);
  require(error.empty(), op.name(), " ", op, ": ", error);
  stream.synchronize();

  Outcome outcome;
  workspace.download();
  if (!workspace.guards_intact()) outcome.violation = "wrote outside its workspace";
  for (std::size_t b = 0; b < specs.size(); ++b) {
    memory[b]->download();
    if (!memory[b]->guards_intact()) outcome.violation = concat("wrote outside the buffer ", specs[b].name);
    const std::vector<std::byte> after(memory[b]->data(), memory[b]->data() + before[b].size());
    const bool is_input = specs[b].access == Access::kIn;
    if (is_input && after != before[b]) outcome.violation = concat("changed the input ", specs[b].name);
    outcome.outputs.push_back(is_input ? std::vector<std::byte>() : after);
  }
  return outcome;
}

/// What the double-precision reference makes of `inputs`; empty lists for inputs.
inline Values reference_values(const Kernel& reference, const Op& op64, const Values& inputs) {
  const std::vector<BufferSpec> specs = op64.buffers();
  std::vector<std::vector<std::byte>> memory(specs.size());
  std::vector<void*> pointers;
  for (std::size_t b = 0; b < specs.size(); ++b) {
    memory[b].assign(static_cast<std::size_t>(specs[b].count) * size_of(specs[b].dtype), kNanPoison);
    if (specs[b].access != Access::kOut) encode(specs[b].dtype, inputs[b], memory[b].data());
    pointers.push_back(memory[b].empty() ? nullptr : memory[b].data());
  }
  std::vector<std::byte> workspace(reference.workspace(op64));
  Stream stream{Device{}};
  reference.run(op64, pointers, workspace.data(), stream);
  Values values(specs.size());
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access == Access::kIn) continue;
    values[b] = decode(specs[b].dtype, memory[b].data(), static_cast<std::size_t>(specs[b].count));
  }
  return values;
}

inline Bound bound_of_outputs(const Kernel& reference, const Op& op64, const Values& inputs,
                              const Values& want) {
  if (auto special = special_bound(op64, inputs, want)) return *special;
  if (auto stem = stem_bound(op64, inputs, want)) return *stem;
  Values sizes = inputs;
  for (auto& list : sizes) {
    for (double& value : list) value = std::abs(value);
  }
  return {magnitudes_of_outputs(reference_values(reference, op64, sizes)), usual_growth(op64)};
}

struct Report {
  std::vector<std::string> failures;  // one line each
  double worst = 0;                   // largest error / tolerance
  int problems = 0, declined = 0;
};

/// The outputs of a run as numbers; empty lists for inputs.
inline Values decoded(const Op& op, const Outcome& outcome) {
  const std::vector<BufferSpec> specs = op.buffers();
  Values values(specs.size());
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access == Access::kIn) continue;
    values[b] = decode(specs[b].dtype, outcome.outputs[b].data(), static_cast<std::size_t>(specs[b].count));
  }
  return values;
}

/// Compares one output buffer; returns the first bad element in words, or nothing. Written so that a NaN
/// anywhere fails.
inline std::string compare(const BufferSpec& spec, const std::vector<double>& got,
                           const std::vector<double>& want, const std::vector<double>& magnitude,
                           double growth, bool exact, double& worst) {
  const bool integral = spec.dtype == DType::kI32 || spec.dtype == DType::kI64 || spec.dtype == DType::kBf16;
  const double tiny =
      spec.dtype == DType::kF32 ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double tolerance = exact || integral ? 0 : unit_roundoff(spec.dtype) * growth * magnitude[i] + tiny;
    const double error = std::abs(got[i] - want[i]);
    if (!(error <= tolerance) || !std::isfinite(tolerance)) {
      std::ostringstream text;
      text.precision(17);
      text << spec.name << "[" << i << "] got " << (std::isnan(got[i]) ? std::abs(got[i]) : got[i])
           << " want " << want[i] << " tolerance " << tolerance;
      return text.str();
    }
    if (tolerance > 0) worst = std::max(worst, error / tolerance);
  }
  return {};
}

/// Compares all outputs of a run; returns the first bad element in words, or nothing.
inline std::string compare_outputs(const Op& op, const Outcome& outcome, const Values& want,
                                   const Bound& bound, bool exact, double& worst) {
  const std::vector<BufferSpec> specs = op.buffers();
  const Values got = decoded(op, outcome);
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access == Access::kIn) continue;
    const std::string bad =
        compare(specs[b], got[b], want[b], bound.magnitude[b], bound.growth, exact, worst);
    if (!bad.empty()) return bad;
  }
  return {};
}

/// One problem with one pattern. Returns the failure, or nothing.
inline std::string run_case(const Kernel& kernel, const Kernel& reference, const Op& op, const Op& op64,
                            Pattern pattern, std::uint64_t seed, double& worst) {
  Values inputs = make_inputs(op, pattern, seed);
  fit_stem(op, inputs);
  Values want = reference_values(reference, op64, inputs);
  const Bound bound = bound_of_outputs(reference, op64, inputs, want);
  const Setting plain{1, false, kNanPoison};
  const Outcome first = run_kernel(kernel, op, inputs, plain);
  if (!first.violation.empty()) return concat(plain.text(), ": ", first.violation);
  if (op.name() == "stem3d_forward") {
    const auto words = decode(DType::kI32, first.outputs[7].data(), want[7].size());
    settle_winners(op, inputs, bound, unit_roundoff(op.dtype), words, want);
  }
  settle_images(op, decoded(op, first), want);
  const std::string bad = compare_outputs(op, first, want, bound, pattern == Pattern::kIntegers, worst);
  if (!bad.empty()) return concat(plain.text(), ": ", bad);

  const bool serial = kernel.rung == "reference";
  std::vector<Setting> others{{1, true, kLargePoison}};
  if (!serial) others.insert(others.end(), {{2, false, kNanPoison}, {3, false, kNanPoison}});
  for (const Setting& setting : others) {
    const Outcome outcome = run_kernel(kernel, op, inputs, setting);
    if (!outcome.violation.empty()) return concat(setting.text(), ": ", outcome.violation);
    if (outcome.outputs != first.outputs)
      return concat(setting.text(), ": other bits than with ", plain.text());
  }
  return {};
}

/// The name of a rung's test, and with it the filter that repeats it.
inline std::string test_name(const Kernel& kernel) {
  return concat(kernel.op, "_", kernel.rung, "_", name_of(kernel.device), "_", umbra::name_of(kernel.dtype));
}

inline const Kernel* find_reference(const OpFamily& family) {
  for (const Kernel& kernel : family.kernels) {
    if (kernel.rung == "reference" && kernel.dtype == DType::kF64 && kernel.device == Device::Kind::kCpu)
      return &kernel;
  }
  return nullptr;
}

/// Large problems need not see every pattern: their reference takes long, and smaller ones of the op see them
/// all.
inline bool is_large(const Op& op) {
  return op.flops() > 1e8;
}

/// All problems of `family` with all patterns, or only the problem of text `only`. Stops after a few
/// failures.
inline Report run_gauntlet(const OpFamily& family, const Kernel& kernel, const std::string& only = {}) {
  constexpr std::uint64_t kSeed = 2018;
  constexpr std::size_t kEnough = 5;
  Report report;
  const Kernel* reference = find_reference(family);
  if (reference == nullptr || family.problems == nullptr) {
    report.failures.push_back(
        concat(family.op, " has no f64 reference or no problems: nothing can be tested"));
    return report;
  }
  const int threads_before = omp_get_max_threads();
  const Problems problems = family.problems(kernel.dtype), problems64 = family.problems(DType::kF64);
  for (std::size_t i = 0; i < problems.size() && report.failures.size() < kEnough; ++i) {
    const Op &op = *problems[i], &op64 = *problems64.at(i);
    if (!only.empty() && op.text() != only) continue;
    if (op.flops() > most_flops || (leaves_out != nullptr && leaves_out(op))) continue;
    ++report.problems;
    if (op.text() != op64.text())
      report.failures.push_back(concat(op.name(), ": problem ", i, " depends on the dtype"));
    if (!kernel.declines(op).empty()) ++report.declined;
    if (!kernel.declines(op).empty()) continue;
    for (Pattern pattern : kPatterns) {
      if (one_pattern_each && pattern != kPatterns[i % std::size(kPatterns)]) continue;
      if (pattern == Pattern::kIntegers && !op.exact_on_integers()) continue;
      if (pattern != Pattern::kNormal && pattern != Pattern::kIntegers && is_large(op)) continue;
      const std::string bad = run_case(kernel, *reference, op, op64, pattern, kSeed, report.worst);
      if (bad.empty()) continue;
      report.failures.push_back(concat(test_name(kernel), " | ", op.text(), " | fill=", name_of(pattern),
                                       " seed=", kSeed, " | ", bad, " | repeat: UMBRA_GAUNTLET_PROBLEM='",
                                       op.text(), "' engine_tests --gtest_filter='*/", test_name(kernel),
                                       "'"));
    }
  }
  omp_set_num_threads(threads_before);
  return report;
}

}  // namespace umbra::gauntlet
