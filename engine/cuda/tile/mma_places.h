// Which lane holds which element when a warp multiplies matrices (mma.sync), and the layout of operands in
// shared memory that avoids bank conflicts. Plain arithmetic, shared by the kernels, the emulator and
// tests/cuda/mma_test.cpp.
//
// One instruction adds a 16 x 8 product to D, summing over eight 32-bit words of each operand. A word is one
// TF32 number (m16n8k8), or two BF16 numbers that follow each other along the sum, the first in the low half
// (m16n8k16). In units of words both have the same layout (PTX ISA, "Matrix Fragments for mma.m16n8k8 with
// .tf32" and "… for mma.m16n8k16 with floating point type").
#pragma once

namespace umbra {

inline constexpr int kMmaRows = 16, kMmaColumns = 8, kMmaWords = 8;

struct MmaOperandPlace {
  int line, word;  // the row of A or the column of B, and the word along the sum
};
struct MmaResultPlace {
  int row, column;
};

/// What lane `lane` of the warp holds in its register i of A (four registers), of B (two) and of D (four).
constexpr MmaOperandPlace mma_a_place(int lane, int i) {
  return {lane / 4 + i % 2 * 8, lane % 4 + i / 2 * 4};
}
constexpr MmaOperandPlace mma_b_place(int lane, int i) {
  return {lane / 4, lane % 4 + i * 4};
}
constexpr MmaResultPlace mma_d_place(int lane, int i) {
  return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2};
}

// In double a piece is an 8 x 8 product, summed over four numbers (m8n8k4; Hopper has m16n8k4, which is two of
// them below each other): a lane holds one number of A and one of B, both in the places of register 0 of B
// above, and two sums, in the places of registers 0 and 1 of D (PTX ISA, "Matrix Fragments for mma.m8n8k4 with
// .f64 floating point type").
inline constexpr int kMmaF64Lines = 8, kMmaF64Numbers = 4;

/// A slice of an operand in shared memory has kMmaSliceWords words along the sum for each of its lines. Two
/// orders, for the two ways in which it is loaded from memory; in both a warp stores 32 words to 32 banks,
/// and reads a register of a fragment, 8 lines x 4 words, from 32 banks:
inline constexpr int kMmaSliceWords = 16;

/// Lines are contiguous: neighbouring threads load neighbouring lines of one word. The bank advances by 8
/// from word to word, so 4 words of 8 lines occupy 32 banks.
template <int kLines>
struct WordsByLine {
  static_assert(kLines % 32 == 0);
  static constexpr int kPitch = kLines + 8, kSize = kMmaSliceWords * kPitch;
  static constexpr int at(int line, int word) { return word * kPitch + line; }
};
/// Words are contiguous: a warp loads the 16 words of two neighbouring lines, 32 in a row. The groups of four
/// words of a line are permuted by the line's number: of eight lines that are read together, the even ones
/// are in the lower 16 banks and the odd ones in the upper 16, and each of the four uses a different group of
/// four banks.
template <int kLines>
struct WordsByStep {
  static constexpr int kSize = kMmaSliceWords * kLines;
  static constexpr int at(int line, int word) { return line * kMmaSliceWords + (word ^ (line / 2 % 4 * 4)); }
};

}  // namespace umbra
