// cuBLASLt's algorithms for a matrix product and the search for the fastest. Column-major, as cuBLAS has it.
#pragma once

#include <string>

#include "engine/base/dtype.h"
#include "engine/base/precision.h"
#include "engine/runtime/stream.h"

namespace umbra {

/// D = A' B', m x n with sums over k; A' is m x k: A, or the transpose of A. D and the optional bias (one
/// number per row of D) are fp32, operands and sums as `precision` says: fp32, TF32 from fp32 memory, or
/// bf16.
struct Product {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
  Precision precision;
  bool bias = false;

  DType operand() const { return precision == Precision::kBf16 ? DType::kBf16 : DType::kF32; }
  std::string text() const;
};

/// Why there is no cuBLASLt, "" when there is.
std::string cublaslt_missing();

/// What a search found; made and kept by find_product().
struct FoundProduct;
/// For the current device, found by the first call for the product.
const FoundProduct& find_product(const Product& product);
/// Whether there is an algorithm, what it is or why there is none, and the bytes it asks for.
bool found_any(const FoundProduct& found);
const std::string& text_of(const FoundProduct& found);
std::size_t workspace_of(const FoundProduct& found);

/// Throws Error when cuBLASLt fails. All addresses are multiples of kPeerAlignment.
void run_product(const FoundProduct& found, const void* a, const void* b, const void* bias, void* d,
                 void* workspace, Stream& stream);

}  // namespace umbra
