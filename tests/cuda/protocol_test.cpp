// Barriers, copies, wgmmas and clusters, in small kernels against plain loops: on a GPU they show that the
// wrappers and operand_layout.h describe the hardware correctly, on the emulator that it behaves in the same
// way.
#include "tests/cuda/kernels/protocol.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <tuple>
#include <vector>

#include "engine/base/error.h"
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

// If a map violates a rule, the kernel that uses it does not start, but the next one does.
TEST_F(Protocol, ARefusedMapLaunchesNothing) {
  const BoxCase good{2, 2, {100, 70}, {208}, {64, 64}, Swizzle::k128, {0, 0}};
  BoxCase bad = good;
  bad.pitch[0] = 200;  // not a multiple of 16
  const std::vector<unsigned char> data(64 << 10, 1), untouched(good.bytes(), 7);
  const OnDevice<unsigned char> from(data), to(untouched);
  copy_box(bad, from.data(), to.data(), nullptr);
  const std::string error = cuda_backend().launch_error(0);
  EXPECT_NE(error.find("a tensor map of 100 x 70 elements of 2 bytes"), std::string::npos) << error;
  EXPECT_NE(error.find("pitches 200 bytes, boxes of 64 x 64, swizzle of 128 bytes, was refused"),
            std::string::npos)
      << error;
  EXPECT_EQ(to.values(), untouched);
  copy_box(good, from.data(), to.data(), nullptr);
  EXPECT_EQ(to.values(), expected_box(good, data));
}

// The products of one precision and size, in every form that has a kernel, MN-major operands first.
class ProtocolProducts : public Protocol, public testing::WithParamInterface<std::tuple<Precision, int>> {
 protected:
  static ProductCase form_of(Precision precision, int n, int form) {
    return {precision,
            n,
            form & 1 ? Major::kMN : Major::kK,
            form & 2 ? Major::kMN : Major::kK,
            form & 4 ? 64 : 128,
            (form & 8) != 0};
  }
  /// The product on the device; empty if there is no kernel for it.
  template <class Number>
  static std::vector<float> multiplied(const ProductCase& product, const std::vector<Number>& a,
                                       const std::vector<Number>& b) {
    const OnDevice<Number> on_a(a), on_b(b);
    const OnDevice<float> c(static_cast<std::size_t>(64 * product.n));
    const bool is = multiply(product, on_a.data(), on_b.data(), c.data(), nullptr);
    return is ? c.values() : std::vector<float>();
  }
  /// The last 13 bits of TF32 operands are not read: they are noise here.
  static std::vector<float> with_noise(std::vector<float> values) {
    for (float& x : values) x = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) | 0x1abc);
    return values;
  }
};

TEST_P(ProtocolProducts, OfEveryFormArePlainProducts) {
  const auto [precision, n] = GetParam();
  const bool is_bf16 = precision == Precision::kBf16;
  int products = 0;
  for (int i = 0; i < 16; ++i) {
    const ProductCase product = form_of(precision, n, i ^ 3);
    const int k = product.steps();
    const std::vector<float> a = numbers(static_cast<std::size_t>(64 * k)),
                             b = numbers(static_cast<std::size_t>(n * k), 1 << 20);
    set_schedule(products);
    const std::vector<float> got =
        is_bf16 ? multiplied(product, bf16(a), bf16(b)) : multiplied(product, with_noise(a), with_noise(b));
    if (got.empty()) continue;
    ++products;
    int wrong = 0;
    for (int row = 0; row < 64; ++row) {
      for (int column = 0; column < n; ++column) {
        float expected = 0;
        for (int s = 0; s < k; ++s)
          expected += a[static_cast<std::size_t>(row * k + s)] * b[static_cast<std::size_t>(column * k + s)];
        const float is = got[static_cast<std::size_t>(row * n + column)];
        if (is != expected && wrong++ == 0)
          ADD_FAILURE() << "form " << (i ^ 3) << " at " << row << ", " << column << ": " << is
                        << " instead of " << expected;
      }
    }
    EXPECT_EQ(wrong, 0) << "of " << 64 * n << " elements, form " << (i ^ 3);
  }
  EXPECT_EQ(products, (is_bf16 ? 5 : 2) + (n > 64 ? 0 : is_bf16 ? 2 : 1));
}

INSTANTIATE_TEST_SUITE_P(EverySize, ProtocolProducts,
                         testing::Combine(testing::Values(Precision::kBf16, Precision::kTf32),
                                          testing::Values(32, 64, 128, 200, 256)),
                         [](const auto& made) {
                           return concat(name_of(std::get<0>(made.param)), "_n", std::get<1>(made.param));
                         });

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

// A block that ends before the others have read its memory matters only if another block takes over that memory, and a
// GPU runs hundreds of blocks at a time.
TEST_F(Protocol, ClustersOfEverySizeReduce) {
  const std::size_t clusters = compiled_for_gpu() ? 2000 : 2;
  const std::vector<float> x = numbers(clusters * kMostReducers * kReduced);
  const OnDevice<float> from(x);
  for (int size = 2; size <= kMostReducers; ++size) {
    std::vector<float> expected(clusters * kReduced, 0);
    for (std::size_t i = 0; i < clusters * static_cast<std::size_t>(size) * kReduced; ++i)
      expected[i / kReduced / static_cast<std::size_t>(size) * kReduced + i % kReduced] += x[i];
    for (int schedule = 0; schedule < 3; ++schedule) {
      set_schedule(schedule);
      const OnDevice<float> sum(expected.size());
      reduce_in_clusters(from.data(), sum.data(), static_cast<int>(clusters), size, nullptr);
      const std::vector<float> got = sum.values();
      for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_EQ(got[i], expected[i]) << "clusters of " << size << " at " << i;
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

// Of integers above 2^24, which a float could not hold. A square or a number in a wrong lane changes the sums.
TEST(ProtocolOfAnyGpu, ProductsInDoubleAreThoseOfPlainLoops) {
  if (!cannot_run().empty()) GTEST_SKIP() << cannot_run();
  constexpr std::size_t kLines = kLinesF64, kSide = 8;
  std::uint64_t drawn = 0;
  const auto numbers = [&](std::size_t count) {
    std::vector<double> values(count);
    for (double& value : values)
      value = static_cast<double>(Rng(2018, Purpose::kTest, 1).below(drawn++, 1 << 20)) - (1 << 19);
    return values;
  };
  const std::vector<double> a = numbers(kNumbersF64 * kLines), b = numbers(kNumbersF64 * kLines),
                            d = numbers(kLines * kLines);
  const OnDevice<double> rows(a), columns(b);
  for (const bool upper : {false, true}) {
    std::vector<double> expected = d;
    for (std::size_t row = 0; row < kLines; ++row) {
      for (std::size_t column = 0; column < kLines; ++column) {
        if (upper && column / kSide < row / kSide) continue;
        for (std::size_t k = 0; k < kNumbersF64; ++k)
          expected[row * kLines + column] += 2 * a[k * kLines + row] * b[k * kLines + column];
      }
    }
    const OnDevice<double> sums(d);
    multiply_in_double(upper, rows.data(), columns.data(), sums.data(), nullptr);
    EXPECT_EQ(sums.values(), expected) << upper;
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
