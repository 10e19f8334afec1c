// What every rung of an op must survive, for tests that bring their own shapes: NaN in outputs and workspace,
// guard zones around every buffer, the same bits twice and for any number of threads, bitwise equality on
// small integers, and an error bound element by element, from the sum of the absolute products.
#pragma once

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "engine/base/philox.h"
#include "engine/ops/kernel.h"

namespace umbra::check {

enum class Values { kReal, kInteger, kAbsolute };  // kAbsolute: the absolute values of kReal

/// Buffers of an op with a guard zone on both sides: inputs filled, outputs NaN.
template <class T>
class Memory {
 public:
  Memory(const Op& op, Values values) {
    for (const BufferSpec& spec : op.buffers()) {
      std::vector<T>& block =
          blocks_.emplace_back(static_cast<std::size_t>(spec.count) + 2 * kGuard, T(kGuardValue));
      const Rng rng(7, Purpose::kTest, blocks_.size());
      for (std::size_t i = 0; i < static_cast<std::size_t>(spec.count); ++i) {
        const auto real =
            static_cast<float>(rng.uniform(i) * 2 - 1);  // in float, so that both types start equal
        block[kGuard + i] = spec.access == Access::kOut   ? std::numeric_limits<T>::quiet_NaN()
                            : values == Values::kInteger  ? T(static_cast<int>(rng.below(i, 7)) - 3)
                            : values == Values::kAbsolute ? T(std::fabs(real))
                                                          : T(real);
      }
    }
    for (std::vector<T>& block : blocks_) pointers_.push_back(block.data() + kGuard);
  }
  Buffers buffers() const { return pointers_; }
  bool guards_intact() const {
    for (const std::vector<T>& block : blocks_) {
      for (std::size_t i = 0; i < kGuard; ++i) {
        if (block[i] != T(kGuardValue) || block[block.size() - 1 - i] != T(kGuardValue)) return false;
      }
    }
    return true;
  }
  T at(std::size_t buffer, std::size_t i) const { return blocks_[buffer][kGuard + i]; }
  bool same_bits(const Memory& other) const {
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      if (std::memcmp(blocks_[b].data(), other.blocks_[b].data(), blocks_[b].size() * sizeof(T)) != 0)
        return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuard = 37;  // odd on purpose: buffers are not aligned to vectors
  static constexpr float kGuardValue = -12345.0f;
  std::vector<std::vector<T>> blocks_;
  std::vector<void*> pointers_;
};

/// Runs a kernel with a poisoned workspace of exactly the size it asked for.
template <class T>
void run(const Kernel& kernel, const Op& op, const Memory<T>& memory) {
  ASSERT_EQ(kernel.declines(op), "") << kernel.op << " " << kernel.rung << " " << op.text();
  constexpr std::size_t kGuard = 64;
  const std::size_t bytes = kernel.workspace(op);
  std::vector<unsigned char> space(bytes + kGuard + 64, 0xff);  // 0xff… is NaN
  auto* aligned = space.data() + (64 - reinterpret_cast<std::uintptr_t>(space.data()) % 64) % 64;
  Stream stream{Device{}};
  kernel.run(op, memory.buffers(), aligned, stream);
  for (std::size_t i = 0; i < kGuard; ++i)
    ASSERT_EQ(aligned[bytes + i], 0xff) << "workspace overrun " << op.text();
  ASSERT_TRUE(memory.guards_intact()) << "guard zone overwritten " << op.text();
}

inline const Kernel& find(const OpFamily& family, std::string_view rung, DType dtype) {
  for (const Kernel& kernel : family.kernels) {
    if (kernel.rung == rung && kernel.dtype == dtype) return kernel;
  }
  throw std::runtime_error("no such rung: " + std::string(rung));
}

/// Every f32 rung of the family on every problem.
inline void all_rungs_on_all_problems(const OpFamily& family) {
  const Problems f32 = family.problems(DType::kF32), f64 = family.problems(DType::kF64);
  const Kernel& truth = find(family, "reference", DType::kF64);
  const int threads = omp_get_max_threads();
  for (std::size_t p = 0; p < f32.size(); ++p) {
    const Op& op = *f32[p];
    const Memory<double> exact(*f64[p], Values::kReal), absolute(*f64[p], Values::kAbsolute);
    run(truth, *f64[p], exact);
    run(truth, *f64[p], absolute);
    const Memory<float> integers(op, Values::kInteger);
    run(find(family, "reference", DType::kF32), op, integers);
    for (const Kernel& kernel : family.kernels) {
      if (kernel.dtype != DType::kF32 || !kernel.declines(op).empty()) continue;
      SCOPED_TRACE(std::string(kernel.op) + " " + std::string(kernel.rung) + " " + op.text());
      const Memory<float> once(op, Values::kReal), twice(op, Values::kReal), ints(op, Values::kInteger);
      omp_set_num_threads(1);
      run(kernel, op, once);
      omp_set_num_threads(3);
      run(kernel, op, twice);
      omp_set_num_threads(threads);
      run(kernel, op, ints);
      EXPECT_TRUE(once.same_bits(twice)) << "1 and 3 threads differ";
      EXPECT_TRUE(ints.same_bits(integers)) << "small integers differ from the reference";
      const std::vector<BufferSpec> specs = op.buffers();
      // Rounding errors of n additions add up like sqrt(n) in practice; the sum of absolute products scales
      // them.
      const double bound = (4 + std::sqrt(op.sum_length())) * std::numeric_limits<float>::epsilon();
      for (std::size_t b = 0; b < specs.size(); ++b) {
        if (specs[b].access != Access::kOut) continue;
        for (std::size_t i = 0; i < static_cast<std::size_t>(specs[b].count); ++i) {
          const double error = std::fabs(once.at(b, i) - exact.at(b, i));
          ASSERT_TRUE(error <= bound * absolute.at(b, i))  // also fails on NaN
              << specs[b].name << "[" << i << "] is " << once.at(b, i) << ", expected " << exact.at(b, i);
        }
      }
    }
  }
}

}  // namespace umbra::check
