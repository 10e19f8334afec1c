// The CUDA rungs of the reductions.
#include "engine/ops/reduce/table_cuda.h"

#include "engine/ops/reduce/op.h"

namespace umbra {

// In the files of these names.
void sum_cuda_1_block(const Sum&, Buffers, void*, Stream&);
void sum_cuda_2_parts(const Sum&, Buffers, void*, Stream&);
std::size_t sum_cuda_2_workspace(const Sum&);
void sum_squares_cuda_1_block(const SumSquares&, Buffers, void*, Stream&);
void sum_squares_cuda_2_parts(const SumSquares&, Buffers, void*, Stream&);
std::size_t sum_squares_cuda_2_workspace(const SumSquares&);
void count_nonfinite_cuda_1_block(const CountNonfinite&, Buffers, void*, Stream&);
void count_nonfinite_cuda_2_parts(const CountNonfinite&, Buffers, void*, Stream&);
std::size_t count_nonfinite_cuda_2_workspace(const CountNonfinite&);

std::vector<OpFamily> reduce_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"sum",
       {make_kernel<Sum, sum_cuda_1_block>("sum", "cuda_1_block", DType::kF32, kCuda),
        make_kernel<Sum, sum_cuda_2_parts, nullptr, sum_cuda_2_workspace>("sum", "cuda_2_parts", DType::kF32,
                                                                          kCuda)},
       nullptr},
      {"sum_squares",
       {make_kernel<SumSquares, sum_squares_cuda_1_block>("sum_squares", "cuda_1_block", DType::kF32, kCuda),
        make_kernel<SumSquares, sum_squares_cuda_2_parts, nullptr, sum_squares_cuda_2_workspace>(
            "sum_squares", "cuda_2_parts", DType::kF32, kCuda)},
       nullptr},
      {"count_nonfinite",
       {make_kernel<CountNonfinite, count_nonfinite_cuda_1_block>("count_nonfinite", "cuda_1_block",
                                                                  DType::kF32, kCuda),
        make_kernel<CountNonfinite, count_nonfinite_cuda_2_parts, nullptr, count_nonfinite_cuda_2_workspace>(
            "count_nonfinite", "cuda_2_parts", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
