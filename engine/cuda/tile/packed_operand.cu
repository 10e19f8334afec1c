// Packs operands (packed_operand.h): one pass over memory that rounds and, if necessary, transposes. Without
// transposition a thread writes 16 bytes of a row. With it, numbers pass through shared memory in squares of
// 32 x 32, so that reads and writes both run along rows; the 33rd column of the square spreads a column's
// numbers over all banks. The same read may also write the form that is not transposed.
#include "engine/cuda/tile/indexing.h"
#include "engine/cuda/tile/packed_operand.h"

namespace umbra {
namespace {

constexpr int kSquare = 32, kSquareRows = 8;  // threads of a square: 32 x 8
constexpr int kSquaresAtOnce = 8;             // of a multiprocessor, whose registers they then share: 32 each

template <class From>
__device__ float read(const From* from, std::int64_t i) {
  return static_cast<float>(from[i]);
}

// Numbers of a packed operand in memory.
struct Tf32Number {
  static constexpr int kSide = 4;  // in 16 bytes
  std::uint32_t bits;
  __device__ explicit Tf32Number(float value) : bits(std::bit_cast<std::uint32_t>(round_to_tf32(value))) {}
};
struct Bf16Number {
  static constexpr int kSide = 8;
  std::uint16_t bits;
  __device__ explicit Bf16Number(float value) : bits(static_cast<std::uint16_t>(bf16_bits(value))) {}
};

// from [rows][columns], to [rows][pitch]; rows counts the rows of all matrices.
template <class From, class To>
__global__ void __launch_bounds__(256)
    pack_straight(const From* from, To* to, std::int64_t rows, std::int64_t columns, std::int64_t sides) {
  const std::int64_t i = thread_number();
  if (i >= rows * sides) return;
  const std::int64_t row = i / sides, column = (i - row * sides) * To::kSide;
  struct alignas(16) Side {
    decltype(To::bits) bits[To::kSide];
  } side;
#pragma unroll
  for (int k = 0; k < To::kSide; ++k) {
    side.bits[k] = To(column + k < columns ? read(from, row * columns + column + k) : 0.0f).bits;
  }
  reinterpret_cast<Side*>(to)[i] = side;
}

struct Square {
  float at[kSquare][kSquare + 1];
};

// from [outer][rows][columns], to [outer][columns][pitch], and straight [outer][rows][straight_pitch] or null;
// blocks: squares along columns, along rows, outer.
template <class From, class To>
__global__ void __launch_bounds__(kSquare* kSquareRows, kSquaresAtOnce)
    pack_transposed(const From* from, To* to, To* straight, int rows, int columns, int pitch,
                    int straight_pitch, std::int64_t outer) {
  Square& square = shared_memory<Square>();
  const int x = static_cast<int>(threadIdx.x) % kSquare, y = static_cast<int>(threadIdx.x) / kSquare;
  const int column0 = static_cast<int>(blockIdx.x) * kSquare, row0 = static_cast<int>(blockIdx.y) * kSquare;
  for (std::int64_t o = blockIdx.z; o < outer; o += gridDim.z) {
    const From* const source = from + o * rows * columns;
    To* const packed = to + o * columns * pitch;
#pragma unroll
    for (int j = 0; j < kSquare; j += kSquareRows) {
      const int row = row0 + y + j, column = column0 + x;
      const bool inside = row < rows && column < columns;
      const float value = inside ? read(source, static_cast<std::int64_t>(row) * columns + column) : 0.0f;
      square.at[y + j][x] = value;
      if (straight != nullptr && row < rows && column < straight_pitch)
        straight[(o * rows + row) * straight_pitch + column] = To(value);
    }
    __syncthreads();
#pragma unroll
    for (int j = 0; j < kSquare; j += kSquareRows) {
      const int column = column0 + y + j, row = row0 + x;
      if (column < columns && row < pitch)
        packed[static_cast<std::int64_t>(column) * pitch + row] = To(square.at[x][y + j]);
    }
    __syncthreads();
  }
}

// `straight` may be null.
template <class From, class To>
void transpose(const OperandSource& source, Precision precision, void* straight, void* to, void* stream) {
  constexpr std::int64_t kMostDeep = 65535;
  const std::int64_t pitch = packed_pitch(precision, source.rows);
  const std::int64_t straight_pitch = packed_pitch(precision, source.columns);
  const auto squares = [](std::int64_t n) { return static_cast<unsigned>((n + kSquare - 1) / kSquare); };
  const unsigned deep = static_cast<unsigned>(source.outer < kMostDeep ? source.outer : kMostDeep);
  launch(pack_transposed<From, To>,
         Grid{{squares(straight_pitch), squares(pitch), deep}, {kSquare * kSquareRows}, sizeof(Square)},
         stream, static_cast<const From*>(source.data), static_cast<To*>(to), static_cast<To*>(straight),
         static_cast<int>(source.rows), static_cast<int>(source.columns), static_cast<int>(pitch),
         static_cast<int>(straight_pitch), source.outer);
}

template <class From, class To>
void pack(const OperandSource& source, const PackedOperand& packed, void* to, void* stream) {
  if (packed.transposed) return transpose<From, To>(source, packed.precision, nullptr, to, stream);
  const std::int64_t sides = packed.row_bytes() / 16, rows = source.outer * source.rows;
  launch(pack_straight<From, To>, one_thread_each(rows * sides), stream,
         static_cast<const From*>(source.data), static_cast<To*>(to), rows, source.columns, sides);
}

}  // namespace

void pack_operand(const OperandSource& source, const PackedOperand& packed, void* to, void* stream) {
  const bool bf16 = source.dtype == DType::kBf16;
  if (packed.precision == Precision::kTf32) return pack<float, Tf32Number>(source, packed, to, stream);
  if (bf16) return pack<Bf16, Bf16Number>(source, packed, to, stream);
  pack<float, Bf16Number>(source, packed, to, stream);
}

void pack_operand_both_ways(const OperandSource& source, Precision precision, void* straight,
                            void* transposed, void* stream) {
  if (precision == Precision::kTf32)
    return transpose<float, Tf32Number>(source, precision, straight, transposed, stream);
  transpose<float, Bf16Number>(source, precision, straight, transposed, stream);
}

}  // namespace umbra
