// Barriers, copies, wgmmas and clusters, in small kernels against plain loops: on a GPU they show that the
// wrappers and operand_layout.h describe the hardware correctly, on the emulator that it behaves in the same
// way.
#include "tests/cuda/kernels/protocol.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/base/philox.h"
#include "tests/cuda/on_device.h"
#include "tests/cuda/where.h"

namespace umbra::cuda_test {
namespace {

constexpr int kHopper = 9;  // compute capability of the instructions

class Protocol : public testing::Test {
 protected:
  void SetUp() override {
    if (!cannot_run().empty()) GTEST_SKIP() << cannot_run();
    if (cuda_backend().compute_capability() != kHopper) GTEST_SKIP() << "instructions of Hopper";
  }
  void TearDown() override { set_schedule(0); }

  /// Small integers: every order of sums gives the same.
  static float number(std::uint64_t index) {
    return static_cast<float>(Rng(2018, Purpose::kTest, 6).below(index, 17)) - 8;
  }
  static std::vector<float> numbers(std::size_t count, std::uint64_t from = 0) {
    std::vector<float> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = number(from + i);
    return all;
  }
  static std::vector<std::uint16_t> bf16(const std::vector<float>& values) {
    std::vector<std::uint16_t> bits;
    for (float value : values) bits.push_back(static_cast<std::uint16_t>(bf16_bits(value)));
    return bits;
  }
};

// The bytes that the copy of a box writes.
std::vector<unsigned char> expected_box(const BoxCase& box, const std::vector<unsigned char>& data) {
  std::vector<unsigned char> bytes(box.bytes(), 0);
  const auto element = static_cast<unsigned>(box.element_bytes);
  for (unsigned dense = 0; dense < box.bytes(); dense += element) {
    unsigned rest = dense / element;
    std::uint64_t from = 0;
    bool inside = true;
    for (int d = 0; d < box.rank; ++d) {
      const std::int64_t at = box.at[d] + static_cast<std::int64_t>(rest % box.box[d]);
      rest /= box.box[d];
      inside = inside && at >= 0 && static_cast<std::uint64_t>(at) < box.extent[d];
      from += static_cast<std::uint64_t>(at) * (d == 0 ? element : box.pitch[d - 1]);
    }
    if (inside) std::memcpy(&bytes[swizzled(dense, box.swizzle)], &data[from], element);
  }
  return bytes;
}

TEST_F(Protocol, BoxesArriveSwizzledAndZerosOutside) {
  const BoxCase cases[] = {
      {2, 2, {100, 70}, {208}, {64, 64}, Swizzle::k128, {0, 0}},
      {2, 2, {100, 70}, {208}, {64, 64}, Swizzle::k128, {64, 32}},
      {2, 2, {101, 70}, {208}, {64, 64}, Swizzle::k128, {-3, -5}},
      {4, 2, {50, 70}, {208}, {32, 24}, Swizzle::k128, {30, 60}},
      {2, 2, {100, 70}, {208}, {32, 17}, Swizzle::k64, {90, 0}},
      {4, 2, {50, 70}, {208}, {8, 256}, Swizzle::k32, {7, -100}},
      {4, 2, {50, 70}, {208}, {20, 9}, Swizzle::kNone, {45, 3}},
      {2, 2, {100, 70}, {208}, {64, 8}, Swizzle::k128, {1000, 5}},
      {4, 3, {32, 27, 5}, {128, 3456}, {32, 9, 3}, Swizzle::k128, {0, 20, 3}},
      {2, 3, {32, 27, 5}, {64, 1728}, {32, 9, 3}, Swizzle::k64, {0, -2, -1}},
      {4, 4, {8, 5, 4, 3}, {32, 160, 640}, {8, 3, 2, 3}, Swizzle::k32, {0, 3, -1, 1}},
      {2, 5, {64, 4, 4, 4, 3}, {128, 512, 2048, 8192}, {64, 1, 2, 2, 3}, Swizzle::k128, {0, 3, 3, -1, 0}},
  };
  std::vector<unsigned char> data(64 << 10);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<unsigned char>(i * 7 + (i >> 8) * 13);
  const OnDevice<unsigned char> on_device(data);
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    int number = 0;
    for (const BoxCase& box : cases) {
      const OnDevice<unsigned char> to(box.bytes());
      copy_box(box, on_device.data(), to.data(), nullptr);
      EXPECT_EQ(to.values(), expected_box(box, data)) << "box " << number;
      ++number;
    }
  }
}

TEST_F(Protocol, ProductsOfEveryFormArePlainProducts) {
  int products = 0;
  for (const Precision precision : {Precision::kBf16, Precision::kTf32}) {
    for (const int n : {32, 64, 128, 200, 256}) {
      for (int form = 0; form < 16; ++form) {
        const ProductCase product{precision,
                                  n,
                                  form & 1 ? Major::kMN : Major::kK,
                                  form & 2 ? Major::kMN : Major::kK,
                                  form & 4 ? 64 : 128,
                                  (form & 8) != 0};
        const int k = product.steps();
        const std::vector<float> a = numbers(static_cast<std::size_t>(64 * k)),
                                 b = numbers(static_cast<std::size_t>(n * k), 1 << 20);
        const OnDevice<float> c(static_cast<std::size_t>(64 * n));
        set_schedule(products);
        bool is = false;
        if (precision == Precision::kBf16) {
          const OnDevice<std::uint16_t> a_bits(bf16(a)), b_bits(bf16(b));
          is = multiply(product, a_bits.data(), b_bits.data(), c.data(), nullptr);
          if (is) c.values();  // before the operands go
        } else {
          // The last 13 bits are not read: they are noise here.
          std::vector<float> a_noise = a, b_noise = b;
          for (auto* noise : {&a_noise, &b_noise})
            for (float& x : *noise) x = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) | 0x1abc);
          const OnDevice<float> a_bits(a_noise), b_bits(b_noise);
          is = multiply(product, a_bits.data(), b_bits.data(), c.data(), nullptr);
          if (is) c.values();
        }
        if (!is) continue;
        ++products;
        const std::vector<float> got = c.values();
        for (int row = 0; row < 64; ++row) {
          for (int column = 0; column < n; ++column) {
            float expected = 0;
            for (int i = 0; i < k; ++i)
              expected +=
                  a[static_cast<std::size_t>(row * k + i)] * b[static_cast<std::size_t>(column * k + i)];
            ASSERT_EQ(got[static_cast<std::size_t>(row * n + column)], expected)
                << name_of(precision) << " n " << n << " form " << form << " at " << row << ", " << column;
          }
        }
      }
    }
  }
  EXPECT_EQ(products, 5 * 7 + 2 * 3);
}

TEST_F(Protocol, APipelineMultiplies) {
  struct Size {
    int rows, columns, k;
  };
  for (const Size& size : {Size{64, 64, 64}, {64, 64, 640}, {100, 65, 200}, {1, 1, 1}, {130, 30, 131}}) {
    const int pitch = (size.k + 7) / 8 * 8;
    const auto padded = [&](int rows) { return numbers(static_cast<std::size_t>(rows * pitch)); };
    const std::vector<float> a = padded(size.rows), b = padded(size.columns);
    const OnDevice<std::uint16_t> a_bits(bf16(a)), b_bits(bf16(b));
    for (int schedule = 0; schedule < 3; ++schedule) {
      set_schedule(schedule);
      const OnDevice<float> c(static_cast<std::size_t>(size.rows * size.columns));
      multiply_in_pipeline(a_bits.data(), b_bits.data(), c.data(), size.rows, size.columns, size.k, nullptr);
      const std::vector<float> got = c.values();
      for (int row = 0; row < size.rows; ++row) {
        for (int column = 0; column < size.columns; ++column) {
          float expected = 0;
          for (int i = 0; i < size.k; ++i)
            expected += a[static_cast<std::size_t>(row * pitch + i)] *
                        b[static_cast<std::size_t>(column * pitch + i)];
          ASSERT_EQ(got[static_cast<std::size_t>(row * size.columns + column)], expected)
              << "k " << size.k << " at " << row << ", " << column;
        }
      }
    }
  }
}

TEST_F(Protocol, AClusterReduces) {
  constexpr int kClusters = 3;
  const std::vector<float> x = numbers(kClusters * kReducers * kReduced);
  const OnDevice<float> from(x);
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    const OnDevice<float> sum(kClusters * kReduced);
    reduce_in_clusters(from.data(), sum.data(), kClusters, nullptr);
    const std::vector<float> got = sum.values();
    for (std::size_t i = 0; i < got.size(); ++i) {
      float expected = 0;
      for (std::size_t b = 0; b < kReducers; ++b)
        expected += x[(i / kReduced * kReducers + b) * kReduced + i % kReduced];
      ASSERT_EQ(got[i], expected) << i;
    }
  }
}

TEST_F(Protocol, AMulticastReachesBothBlocks) {
  constexpr int kRounds = 5, kBox = kShareRows * kShareColumns;
  const std::vector<float> x = numbers(2 * kRounds * kBox);
  const OnDevice<float> from(x);
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    const OnDevice<float> to(4 * kRounds * kBox);
    share_in_cluster(from.data(), to.data(), kRounds, nullptr);
    const std::vector<float> got = to.values();
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::size_t round = i / (4 * kBox), box = i / kBox % 2;
      ASSERT_EQ(got[i], x[(2 * round + box) * kBox + i % kBox]) << i;
    }
  }
}

TEST_F(Protocol, BytesAreCopiedInBulk) {
  constexpr int kBlocks = 3;
  const std::vector<float> x = numbers(kBlocks * kBulk);
  const OnDevice<float> from(x);
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    const OnDevice<float> to(x.size());
    copy_in_bulk(from.data(), to.data(), kBlocks, nullptr);
    EXPECT_EQ(to.values(), x);
  }
}

TEST_F(Protocol, WarpgroupsTakeTurns) {
  constexpr int kRounds = 4;
  const std::vector<float> x = numbers(kPingPong / 2);
  const OnDevice<float> from(x);
  for (int schedule = 0; schedule < 3; ++schedule) {
    set_schedule(schedule);
    const OnDevice<float> to(x.size());
    take_turns(from.data(), to.data(), kRounds, nullptr);
    const std::vector<float> got = to.values();
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(got[i], std::ldexp(x[i] + 1, 2 * kRounds) - 1);
  }
}

}  // namespace
}  // namespace umbra::cuda_test
