#include "tests/cuda/kernels/product.h"
#include "tests/cuda/kernels/protocol.h"

namespace umbra::cuda_test {
namespace {

struct Launch {
  const ProductCase& product;
  const void *a, *b;
  float* c;
  void* stream;

  template <Precision kPrecision, int kN, Major kA, Major kB, int kRow, bool kInRegisters>
  bool launched() const {
    using Number = std::conditional_t<kPrecision == Precision::kBf16, std::uint16_t, std::uint32_t>;
    if (product.precision != kPrecision || product.n != kN || product.a != kA || product.b != kB ||
        product.row_bytes != kRow || product.a_in_registers != kInRegisters)
      return false;
    launch(umbra::cuda_test::product<Number, kPrecision, kN, kA, kB, kRow, kInRegisters>,
           {{1}, {128}, sizeof(ProductShared)}, stream, static_cast<const Number*>(a),
           static_cast<const Number*>(b), c);
    return true;
  }
  template <int kN>
  bool any() const {
    using enum Precision;
    constexpr Major kK = Major::kK, kMN = Major::kMN;
    return launched<kBf16, kN, kK, kK, 128, false>() || launched<kBf16, kN, kK, kMN, 128, false>() ||
           launched<kBf16, kN, kMN, kK, 128, false>() || launched<kBf16, kN, kMN, kMN, 128, false>() ||
           launched<kTf32, kN, kK, kK, 128, false>() || launched<kBf16, kN, kK, kK, 64, false>() ||
           launched<kTf32, kN, kK, kK, 64, false>();
  }
  template <int kN>
  bool any_from_registers() const {
    using enum Precision;
    constexpr Major kK = Major::kK, kMN = Major::kMN;
    return launched<kBf16, kN, kK, kK, 128, true>() || launched<kBf16, kN, kK, kMN, 128, true>() ||
           launched<kTf32, kN, kK, kK, 128, true>();
  }
};

}  // namespace

bool multiply(const ProductCase& product, const void* a, const void* b, float* c, void* stream) {
  const Launch with{product, a, b, c, stream};
  return with.any<32>() || with.any<64>() || with.any<128>() || with.any<200>() || with.any<256>() ||
         with.any_from_registers<32>() || with.any_from_registers<64>();
}

}  // namespace umbra::cuda_test
