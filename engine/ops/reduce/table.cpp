#include "engine/ops/reduce/table.h"

#include "engine/ops/reduce/reference.h"
#include "engine/ops/reduce/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void sum_simd(const Sum&, Buffers, void*, Stream&);
std::size_t sum_workspace(const Sum&);
void sum_squares_simd(const SumSquares&, Buffers, void*, Stream&);
std::size_t sum_squares_workspace(const SumSquares&);
void count_nonfinite_simd(const CountNonfinite&, Buffers, void*, Stream&);
std::size_t count_nonfinite_workspace(const CountNonfinite&);

std::vector<OpFamily> reduce_families() {
  return {
      {"sum",
       {make_kernel<Sum, sum_reference<float>>("sum", "reference", DType::kF32),
        make_kernel<Sum, sum_reference<double>>("sum", "reference", DType::kF64),
        make_kernel<Sum, sum_simd, nullptr, sum_workspace>("sum", "cpu_1_simd", DType::kF32)},
       sum_problems},
      {"sum_squares",
       {make_kernel<SumSquares, sum_squares_reference<float>>("sum_squares", "reference", DType::kF32),
        make_kernel<SumSquares, sum_squares_reference<double>>("sum_squares", "reference", DType::kF64),
        make_kernel<SumSquares, sum_squares_simd, nullptr, sum_squares_workspace>("sum_squares", "cpu_1_simd",
                                                                                  DType::kF32)},
       sum_squares_problems},
      {"count_nonfinite",
       {make_kernel<CountNonfinite, count_nonfinite_reference<float>>("count_nonfinite", "reference",
                                                                      DType::kF32),
        make_kernel<CountNonfinite, count_nonfinite_reference<double>>("count_nonfinite", "reference",
                                                                       DType::kF64),
        make_kernel<CountNonfinite, count_nonfinite_simd, nullptr, count_nonfinite_workspace>(
            "count_nonfinite", "cpu_1_simd", DType::kF32)},
       count_nonfinite_problems},
  };
}

}  // namespace umbra
