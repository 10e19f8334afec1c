// Mistakes that any kernel can make: elements that are wrong, not written or written elsewhere, changed
// inputs, results that depend on threads, addresses, uninitialised memory or earlier calls. All are mutants
// of the simplest op, add.
#include "tests/engine/mutants.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/ops/elementwise/add.h"

namespace umbra {
namespace {

void correct_add(const Add& op, Buffers b, void* w, Stream& s) {
  add_reference<float>(op, b, w, s);
}

void off_by_one(const Add& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    b.out(2)[i] = b.in(0)[i] + b.in(1)[std::min(i + 1, op.count - 1)];
  }
}
void one_wrong_element(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count == 98317) b.out(2)[77777] *= 1.00001f;
}
void nan_at_the_end(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 1000) b.out(2)[op.count - 1] = std::numeric_limits<float>::quiet_NaN();
}
void all_nan(const Add& op, Buffers b, void*, Stream&) {
  std::fill_n(b.out(2), op.count, std::numeric_limits<float>::quiet_NaN());
}
void unwritten_tail(const Add& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count / 16 * 16; ++i) b.out(2)[i] = b.in(0)[i] + b.in(1)[i];
}
void nothing_written(const Add&, Buffers, void*, Stream&) {}
void all_zero(const Add& op, Buffers b, void*, Stream&) {
  std::fill_n(b.out(2), op.count, 0.0f);
}
void writes_behind(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count % 16 == 1) b.out(2)[op.count] = 0;
}
void writes_before(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 0) b.out(2)[-1] = 0;
}
void writes_far_behind(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 0) b.out(2)[op.count + 63] = 0;
}
void changes_input(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 0) b.out(1)[op.count - 1] += 1;
}
void changes_input_to_negative_zero(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  for (std::int64_t i = 0; i < op.count; ++i) b.out(0)[i] = b.in(0)[i] == 0 ? -0.0f : b.in(0)[i];
}
void adds_to_the_output(const Add& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) b.out(2)[i] += b.in(0)[i] + b.in(1)[i];
}
void fills_only_nans(const Add& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    if (std::isnan(b.out(2)[i])) b.out(2)[i] = b.in(0)[i] + b.in(1)[i];
  }
}
void last_bit_by_threads(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  if (op.count > 0 && omp_get_max_threads() > 2) b.out(2)[0] = std::nextafter(b.out(2)[0], 1e9f);
}
void last_bit_by_alignment(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  const bool aligned = reinterpret_cast<std::uintptr_t>(b[0]) % 64 == 0;
  if (op.count > 0 && !aligned) b.out(2)[0] = std::nextafter(b.out(2)[0], 1e9f);
}
void differs_on_every_call(const Add& op, Buffers b, void* w, Stream& s) {
  static int calls = 0;
  correct_add(op, b, w, s);
  if (op.count > 0 && ++calls % 2 == 0) b.out(2)[0] = std::nextafter(b.out(2)[0], 1e9f);
}
void half_precision(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  for (std::int64_t i = 0; i < op.count; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, b.out(2) + i, 4);
    bits &= 0xFFFFE000u;  // the ten fraction bits of a half or a TF32 number
    std::memcpy(b.out(2) + i, &bits, 4);
  }
}

TEST(Mutants, CorrectKernelPasses) {
  const gauntlet::Report report = run_gauntlet(make_kernel<Add, correct_add>("correct"));
  EXPECT_TRUE(report.failures.empty()) << report.failures.front();
  EXPECT_GT(report.problems, 0);
}
TEST(Mutants, OffByOne) {
  expect_caught(make_kernel<Add, off_by_one>("off_by_one"), "y[0] got");
}
TEST(Mutants, OneWrongElement) {
  expect_caught(make_kernel<Add, one_wrong_element>("one_wrong_element"), "y[77777] got");
}
TEST(Mutants, NanAtTheEnd) {
  expect_caught(make_kernel<Add, nan_at_the_end>("nan_at_the_end"), "got nan");
}
TEST(Mutants, AllNan) {
  expect_caught(make_kernel<Add, all_nan>("all_nan"), "got nan");
}
TEST(Mutants, UnwrittenTail) {
  expect_caught(make_kernel<Add, unwritten_tail>("unwritten_tail"), "got nan");
}
TEST(Mutants, NothingWritten) {
  expect_caught(make_kernel<Add, nothing_written>("nothing_written"), "got nan");
}
TEST(Mutants, AllZero) {
  expect_caught(make_kernel<Add, all_zero>("all_zero"), "got 0");
}
TEST(Mutants, WritesBehind) {
  expect_caught(make_kernel<Add, writes_behind>("writes_behind"), "outside the buffer y");
}
TEST(Mutants, WritesBefore) {
  expect_caught(make_kernel<Add, writes_before>("writes_before"), "outside the buffer y");
}
TEST(Mutants, WritesFarBehind) {
  expect_caught(make_kernel<Add, writes_far_behind>("writes_far_behind"), "outside the buffer y");
}
TEST(Mutants, ChangesInput) {
  expect_caught(make_kernel<Add, changes_input>("changes_input"), "changed the input b");
}
TEST(Mutants, ChangesInputToNegativeZero) {
  expect_caught(make_kernel<Add, changes_input_to_negative_zero>("negative_zero"), "changed the input a");
}
TEST(Mutants, AddsToTheOutput) {
  expect_caught(make_kernel<Add, adds_to_the_output>("adds"), "got nan");
}
TEST(Mutants, SkipsWhatIsNotNan) {
  expect_caught(make_kernel<Add, fills_only_nans>("only_nans"), "other bits");
}
TEST(Mutants, LastBitByThreads) {
  expect_caught(make_kernel<Add, last_bit_by_threads>("by_threads"), "threads=3: other bits");
}
TEST(Mutants, LastBitByAlignment) {
  expect_caught(make_kernel<Add, last_bit_by_alignment>("by_alignment"), "shifted");
}
TEST(Mutants, DiffersOnEveryCall) {
  expect_caught(make_kernel<Add, differs_on_every_call>("by_call"), "other bits");
}
TEST(Mutants, HalfPrecision) {
  expect_caught(make_kernel<Add, half_precision>("half_precision"), "got");
}

// ---- mistakes with a workspace

std::size_t sixty_four_bytes(const Add&) {
  return 64;
}

void adds_garbage(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  const float garbage = *static_cast<const float*>(w);
  if (op.count > 0 && garbage > 0)
    b.out(2)[0] += garbage;  // a comparison that hides the NaN of the first run
}
void overruns_workspace(const Add& op, Buffers b, void* w, Stream& s) {
  correct_add(op, b, w, s);
  static_cast<char*>(w)[64] = 1;
}

TEST(Mutants, ReadsUninitialisedWorkspace) {
  expect_caught(make_kernel<Add, adds_garbage, nullptr, sixty_four_bytes>("garbage"), "other-garbage");
}
TEST(Mutants, OverrunsWorkspace) {
  expect_caught(make_kernel<Add, overruns_workspace, nullptr, sixty_four_bytes>("overrun"),
                "outside its workspace");
}

// ---- a ladder that cannot be tested

TEST(Mutants, LadderWithoutReferenceFails) {
  const Kernel kernel = make_kernel<Add, correct_add>("correct");
  EXPECT_FALSE(gauntlet::run_gauntlet({"add", {kernel}, ladder_of("add").problems}, kernel, op_rules())
                   .failures.empty());
  EXPECT_FALSE(gauntlet::run_gauntlet({"add", ladder_of("add").kernels, nullptr}, kernel, op_rules())
                   .failures.empty());
}

}  // namespace
}  // namespace umbra
