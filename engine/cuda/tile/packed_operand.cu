// Packs operands (packed_operand.h): one pass over memory that rounds and, if necessary, transposes. Without
// transposition a thread writes 16 bytes of a row. With it, numbers pass through shared memory in squares of
// 32 x 32, a block each, so that reads and writes both run along rows; the 33rd column of the square spreads a
// column's numbers over all banks. The same read may also write the form that is not transposed, and one launch may
// pack many operands.
#include "engine/cuda/tile/indexing.h"
#include "engine/cuda/tile/packed_operand.h"
#include "engine/cuda/tile/tensor_list_blocks.h"

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

/// from [outer][rows][columns], transposed [outer][columns][pitch] and straight [outer][rows][straight_pitch]; either of
/// the last two may be null.
template <class From, class To>
struct Stack {
  const From* from;
  To *transposed, *straight;
  int rows, columns, pitch, straight_pitch;
};
/// The operands of one launch; a block per square, along columns, then along rows, then outer.
template <class From, class To>
struct Stacks {
  TensorListBlocks blocks;
  Stack<From, To> stack[kMostTensors];
};

constexpr int squares(int n) {
  return (n + kSquare - 1) / kSquare;
}

template <class From, class To>
__global__ void __launch_bounds__(kSquare* kSquareRows, kSquaresAtOnce)
    pack_transposed(const Stacks<From, To> stacks) {
  Square& square = shared_memory<Square>();
  const int x = static_cast<int>(threadIdx.x) % kSquare, y = static_cast<int>(threadIdx.x) / kSquare;
  const int block = static_cast<int>(blockIdx.x), k = stacks.blocks.tensor_of(block);
  const Stack<From, To> stack = stacks.stack[k];
  const int number = block - stacks.blocks.first[k], across = squares(stack.columns),
            down = squares(stack.rows);
  const std::int64_t o = number / (across * down);
  const int rest = number % (across * down);
  const int column0 = rest % across * kSquare, row0 = rest / across * kSquare;
#pragma unroll
  for (int j = 0; j < kSquare; j += kSquareRows) {
    const int row = row0 + y + j, column = column0 + x;
    const bool inside = row < stack.rows && column < stack.columns;
    const float value = inside ? read(stack.from, (o * stack.rows + row) * stack.columns + column) : 0.0f;
    square.at[y + j][x] = value;
    if (stack.straight != nullptr && row < stack.rows && column < stack.straight_pitch)
      stack.straight[(o * stack.rows + row) * stack.straight_pitch + column] = To(value);
  }
  __syncthreads();
  if (stack.transposed == nullptr) return;
#pragma unroll
  for (int j = 0; j < kSquare; j += kSquareRows) {
    const int column = column0 + y + j, row = row0 + x;
    if (column < stack.columns && row < stack.pitch)
      stack.transposed[(o * stack.columns + column) * stack.pitch + row] = To(square.at[x][y + j]);
  }
}

template <class From, class To>
void pack_both_ways(std::span<const PackedBothWays> operands, Precision precision, void* stream) {
  static_assert(sizeof(Stacks<From, To>) <= 4096, "parameters of a launch");
  Stacks<From, To> stacks{};
  const auto flush = [&] {
    if (stacks.blocks.tensors > 0)
      launch(pack_transposed<From, To>,
             Grid{{static_cast<unsigned>(stacks.blocks.blocks())}, {kSquare * kSquareRows}, sizeof(Square)},
             stream, stacks);
    stacks.blocks.tensors = 0;
  };
  for (const auto& [source, straight, transposed] : operands) {
    if (source.outer * source.rows * source.columns == 0) continue;
    if (stacks.blocks.tensors == kMostTensors) flush();
    const int rows = static_cast<int>(source.rows), columns = static_cast<int>(source.columns);
    stacks.stack[stacks.blocks.tensors] = {static_cast<const From*>(source.data),
                                           static_cast<To*>(transposed),
                                           static_cast<To*>(straight),
                                           rows,
                                           columns,
                                           static_cast<int>(packed_pitch(precision, rows)),
                                           static_cast<int>(packed_pitch(precision, columns))};
    stacks.blocks.add(source.outer * squares(rows) * squares(columns));
  }
  flush();
}

template <class From, class To>
void pack(const OperandSource& source, const PackedOperand& packed, void* to, void* stream) {
  if (packed.transposed) {
    const PackedBothWays one{source, nullptr, to};
    return pack_both_ways<From, To>({&one, 1}, packed.precision, stream);
  }
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

void pack_operands_both_ways(std::span<const PackedBothWays> operands, Precision precision, void* stream) {
  if (precision == Precision::kTf32) return pack_both_ways<float, Tf32Number>(operands, precision, stream);
  pack_both_ways<float, Bf16Number>(operands, precision, stream);
}

}  // namespace umbra
