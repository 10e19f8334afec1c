// cuBLASLt's algorithms for a matrix product and the search for the fastest. Matrices are column-major, as in
// cuBLAS.
#pragma once

#include <string>

#include "engine/base/dtype.h"
#include "engine/base/precision.h"
#include "engine/runtime/stream.h"

namespace umbra {

/// D = A' B', m x n with sums over k; A' is m x k: A, or the transpose of A. D and the optional bias (one
/// number per row of D) are fp32. `precision` defines the operands and sums: fp32, TF32 from fp32 memory, or
/// bf16.
struct Product {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
  Precision precision;
  bool bias = false;

  DType operand() const { return precision == Precision::kBf16 ? DType::kBf16 : DType::kF32; }
  std::string text() const;
};

/// Why cuBLASLt is not available; "" if it is.
std::string cublaslt_missing();

/// The result of a search, made and kept by find_product().
struct FoundProduct;
/// The result for the current device; the first call for a product searches.
const FoundProduct& find_product(const Product& product);
/// Whether there is an algorithm, its description or why there is none, and the bytes of its workspace.
bool found_any(const FoundProduct& found);
const std::string& text_of(const FoundProduct& found);
std::size_t workspace_of(const FoundProduct& found);

/// Runs the algorithm. Throws Error if cuBLASLt fails. All addresses are multiples of kPeerAlignment.
void run_product(const FoundProduct& found, const void* a, const void* b, const void* bias, void* d,
                 void* workspace, Stream& stream);

}  // namespace umbra
