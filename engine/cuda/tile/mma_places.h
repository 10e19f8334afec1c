// Who holds what when a warp multiplies matrices (mma.sync), and where operands lie in shared memory so that
// reading them takes no bank twice. Plain arithmetic: the kernels, the emulator and tests/cuda/mma_test.cpp
// share it.
//
// One instruction adds a 16 x 8 product to D, the sum running over eight 32-bit words of each operand: a word
// is one TF32 number (m16n8k8), or two BF16 numbers side by side along the sum, the first one in the low half
// (m16n8k16). In words both have the same places (PTX ISA, "Matrix Fragments for mma.m16n8k8 with .tf32" and
// "… for mma.m16n8k16 with floating point type").
#pragma once

namespace umbra {

inline constexpr int kMmaRows = 16, kMmaColumns = 8, kMmaWords = 8;

struct MmaOperandPlace {
  int line, word;  // of A: its row; of B: its column. The word counts along the sum
};
struct MmaResultPlace {
  int row, column;
};

/// What lane `lane` of the warp holds in its register i: of A (four), of B (two), of D (four).
constexpr MmaOperandPlace mma_a_place(int lane, int i) {
  return {lane / 4 + i % 2 * 8, lane % 4 + i / 2 * 4};
}
constexpr MmaOperandPlace mma_b_place(int lane, int i) {
  return {lane / 4, lane % 4 + i * 4};
}
constexpr MmaResultPlace mma_d_place(int lane, int i) {
  return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2};
}

/// A slice of an operand in shared memory has kMmaSliceWords words along the sum for each of its lines. Two
/// orders, for the two ways in which it comes from memory; in both a warp stores 32 words to 32 banks, and
/// reads a register of a fragment, 8 lines x 4 words, from 32 banks:
inline constexpr int kMmaSliceWords = 16;

/// Lines side by side: neighbouring threads bring neighbouring lines of one word. From word to word the bank
/// moves on by 8, so 4 words of 8 lines are 32 banks.
template <int kLines>
struct WordsByLine {
  static_assert(kLines % 32 == 0);
  static constexpr int kPitch = kLines + 8, kSize = kMmaSliceWords * kPitch;
  static constexpr int at(int line, int word) { return word * kPitch + line; }
};
/// Words side by side: a warp brings the 16 words of two neighbouring lines, 32 in a row. The fours of words
/// of a line change places with the line's number: of eight lines that are read together the even ones are
/// in the lower 16 banks, the odd ones in the upper, and each of four in another four of banks.
template <int kLines>
struct WordsByStep {
  static constexpr int kSize = kMmaSliceWords * kLines;
  static constexpr int at(int line, int word) { return line * kMmaSliceWords + (word ^ (line / 2 % 4 * 4)); }
};

}  // namespace umbra
