#include "engine/cuda/emulator/warpgroup.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <tuple>

#include "engine/base/error.h"

namespace umbra::emulator {
namespace {

constexpr int kRows = 64, kOperandBytes = 32;  // of an instruction: m, and bytes along k
// NVIDIA describes MN-major operands of whole atoms. The kernels use one whose last atom is partial, in bfloat16; until
// a GPU has shown that it reads this one as operand_byte() says, there should be no other (bench/README.md).
constexpr int kPartialColumns = 200;
constexpr std::uint32_t kUnreadable = 0x7fc0dead;  // a NaN that no computation produces

// A number as the tensor core reads it, without the last 13 bits if it is tf32.
float number(std::uint32_t bits, int element_bytes) {
  return std::bit_cast<float>(element_bytes == 2 ? bits << 16 : bits & ~0x1fffu);
}

template <class Bits>
Bits load(const unsigned char* from) {
  Bits bits;
  std::memcpy(&bits, from, sizeof bits);
  return bits;
}

void check_operand(std::uint64_t descriptor, Major major, int mn, int element_bytes, const char* name) {
  const DescribedOperand operand = described(descriptor);
  const unsigned atom = swizzle_atom(operand.swizzle), row = swizzle_row(operand.swizzle);
  if (operand.swizzle == Swizzle::kNone) return;  // only multiples of 16 bytes fit into a descriptor
  const unsigned into = operand.start % atom;
  const bool starts = into == 0 || (major == Major::kK && into < row && into % kOperandBytes == 0);
  require(starts, "operand ", name, " of a wgmma starts at byte ", operand.start - Window::kBase,
          " of shared memory, ", into, " bytes into an atom of ", atom, " bytes of its swizzle");
  require(operand.stride % atom == 0, "operand ", name, " of a wgmma has a stride of ", operand.stride,
          " bytes, not a multiple of its swizzle's ", atom);
  const bool leads = major == Major::kMN && mn * element_bytes > static_cast<int>(row);
  require(!leads || operand.leading % atom == 0, "operand ", name, " of a wgmma has leading blocks ",
          operand.leading, " bytes apart, not a multiple of its swizzle's ", atom);
  require(major == Major::kK || mn * element_bytes % static_cast<int>(row) == 0 ||
              (mn == kPartialColumns && element_bytes == 2),
          "operand ", name, " of a wgmma has ", mn, " MN-major rows or columns of ", element_bytes,
          " bytes, which do not fill the rows of ", row, " bytes of its swizzle");
}

// Where the elements of an operand are, relative to the last multiple of 1024 bytes before it. 1024 is a
// multiple of the pattern of every swizzle, so operands that differ only in that multiple share one entry.
constexpr unsigned kPattern = 1024;
struct Places {
  std::vector<unsigned> places;
  unsigned first = 0, last = 0;
};
const Places& places_of(std::uint64_t descriptor, Major major, int count, int element_bytes) {
  static std::map<std::tuple<std::uint64_t, Major, int, int>, Places> known;
  constexpr std::uint64_t kStart = 0x3fff;  // the bits of the start address in the descriptor
  const std::uint64_t within = described(descriptor).start % kPattern >> 4;
  const std::uint64_t moved = (descriptor & ~kStart) | within;
  Places& found = known[{moved, major, count, element_bytes}];
  if (!found.places.empty()) return found;
  for (int mn = 0; mn < count; ++mn)
    for (int k = 0; k < kOperandBytes / element_bytes; ++k)
      found.places.push_back(operand_byte(moved, major, element_bytes, mn, k));
  const auto [first, last] = std::minmax_element(found.places.begin(), found.places.end());
  found.first = *first;
  found.last = *last;
  return found;
}

// The places of all threads' accumulators, thread by thread.
const std::vector<Place2>& result_places() {
  static const std::vector<Place2> all = [] {
    std::vector<Place2> places;
    for (unsigned t = 0; t < Warpgroup::kThreads; ++t)
      for (int i = 0; i < Warpgroup::kMostSums; ++i) places.push_back(wgmma_d_place(static_cast<int>(t), i));
    return places;
  }();
  return all;
}

std::string hexadecimal(std::uint64_t bits) {
  char text[20];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(bits));
  return text;
}

std::string text(const Wgmma& w) {
  return concat("n", w.n, w.element_bytes == 2 ? " bf16" : " tf32", w.a_in_registers ? " from registers" : "",
                w.a_major == Major::kMN ? " a MN-major" : "", w.b_major == Major::kMN ? " b MN-major" : "",
                w.add ? " adding" : "", " a ", hexadecimal(w.a), " b ", hexadecimal(w.b));
}

}  // namespace

void Warpgroup::begin() {
  for (Thread& thread : threads_) {
    thread.issued = 0;
    thread.groups.clear();
    thread.fenced = false;
    free_.splice(free_.end(), thread.sums);  // of a block that ended with an error
  }
  issued_.clear();
  reading_.clear();
  done_ = 0;
}

Warpgroup::Sums& Warpgroup::sums_of(unsigned t, float* d, int count) {
  Thread& thread = threads_[t];
  for (Sums& sums : thread.sums) {
    if (sums.d == d && sums.count == count) return sums;
    require(d + count <= sums.d || d >= sums.d + sums.count,
            "a wgmma is issued for a part of accumulators that another one, "
            "which has not been waited for, writes");
  }
  require(thread.fenced, "a wgmma is issued for new accumulators without wgmma_fence() since the last wait");
  if (free_.empty()) free_.emplace_back();
  thread.sums.splice(thread.sums.end(), free_, free_.begin());
  Sums& sums = thread.sums.back();
  sums.d = d;
  sums.count = count;
  std::copy_n(d, count, sums.value.begin());
  std::fill_n(d, count, std::bit_cast<float>(kUnreadable));
  return sums;
}

Warpgroup::Operand Warpgroup::locate(std::uint64_t number, std::uint64_t descriptor, Major major, int count,
                                     int element_bytes, const char* name, const Window& window) {
  check_operand(descriptor, major, count, element_bytes, name);
  const Places& found = places_of(descriptor, major, count, element_bytes);
  const std::int64_t from = static_cast<std::int64_t>(described(descriptor).start / kPattern * kPattern) -
                            static_cast<std::int64_t>(Window::kBase);
  const std::int64_t begin = from + found.first, end = from + found.last + element_bytes;
  require(begin >= 0 && end <= static_cast<std::int64_t>(window.bytes()), "operand ", name,
          " of a wgmma lies at bytes ", begin, " to ", end, ", outside the ", window.bytes(),
          " bytes of shared memory");
  reading_.push_back({number, static_cast<std::size_t>(begin), static_cast<std::size_t>(end)});
  return {&found.places, static_cast<unsigned>(from)};
}

bool Warpgroup::issue(unsigned t, const Wgmma& wgmma, float* d, const unsigned* a_registers, Window& window) {
  Thread& thread = threads_[t];
  const std::uint64_t number = thread.issued++;
  const std::size_t at = number - done_;
  if (at == issued_.size()) {
    Issued fresh;
    fresh.wgmma = wgmma;
    if (!wgmma.a_in_registers)
      fresh.a = locate(number, wgmma.a, wgmma.a_major, kRows, wgmma.element_bytes, "a", window);
    fresh.b = locate(number, wgmma.b, wgmma.b_major, wgmma.n, wgmma.element_bytes, "b", window);
    if (wgmma.a_in_registers) fresh.a_registers.resize(kThreads);
    issued_.push_back(std::move(fresh));
  }
  Issued& issued = issued_[at];
  if (issued.wgmma != wgmma)
    fail("the threads of a warpgroup do not issue the same wgmma: ", text(wgmma),
         ", but others of the same warpgroup ", text(issued.wgmma));
  Sums& sums = sums_of(t, d, wgmma.n / 2);
  sums.end = number + 1;
  issued.sums[t] = &sums;
  issued.by.set(t);
  if (a_registers != nullptr) std::copy_n(a_registers, 4, issued.a_registers[t].begin());
  return issued.by.all();
}

void Warpgroup::commit(unsigned t) {
  threads_[t].groups.push_back(threads_[t].issued);
}

std::uint64_t Warpgroup::wanted(unsigned t, int left) const {
  const auto& groups = threads_[t].groups;
  const auto leave = static_cast<std::size_t>(left);
  return groups.size() > leave ? groups[groups.size() - 1 - leave] : 0;
}

void Warpgroup::perform(Window& window, std::uint64_t until) {
  while (done_ < until && !issued_.empty() && issued_.front().by.all()) {
    multiply(issued_.front(), window);
    issued_.pop_front();
    ++done_;
  }
}

void Warpgroup::multiply(const Issued& issued, Window& window) {
  const Wgmma& w = issued.wgmma;
  const int steps = kOperandBytes / w.element_bytes, n = w.n;
  const unsigned char* image = window.image();
  const auto element = [&](const Operand& operand, int i) {
    const unsigned char* from = image + (operand.from + (*operand.places)[static_cast<std::size_t>(i)]);
    return w.element_bytes == 2 ? number(load<std::uint16_t>(from), 2) : number(load<std::uint32_t>(from), 4);
  };
  float a[kRows][kOperandBytes / 2];
  if (w.a_in_registers) {
    for (unsigned t = 0; t < kThreads; ++t) {
      for (int i = 0; i < 4; ++i) {
        const unsigned held = issued.a_registers[t][static_cast<std::size_t>(i)];
        const Place2 at = wgmma_a_place(static_cast<int>(t), i, w.element_bytes);
        a[at.row][at.column] = w.element_bytes == 2 ? number(held & 0xffff, 2) : number(held, 4);
        if (w.element_bytes == 2) a[at.row][at.column + 1] = number(held >> 16, 2);
      }
    }
  } else {
    for (int m = 0; m < kRows; ++m)
      for (int k = 0; k < steps; ++k) a[m][k] = element(issued.a, m * steps + k);
  }
  static float b[kOperandBytes / 2][2 * kMostSums], product[kRows][2 * kMostSums];
  bool finite = true;
  for (int j = 0; j < n; ++j) {
    for (int k = 0; k < steps; ++k) {
      b[k][j] = element(issued.b, j * steps + k);
      finite = finite && std::isfinite(b[k][j]);
    }
  }
  // Products of two bf16 or tf32 are exact; a tensor core adds them in another order and truncates where this
  // rounds. Padding is skipped: zeros of a, unless b has an infinity or a NaN.
  for (int m = 0; m < kRows; ++m) {
    float* row = product[m];
    std::fill_n(row, n, 0.0f);
    for (int k = 0; k < steps; ++k) {
      const float factor = a[m][k];
      if (factor == 0 && finite) continue;
      for (int j = 0; j < n; ++j) row[j] += factor * b[k][j];
    }
  }
  for (std::size_t t = 0; t < kThreads; ++t) {
    float* sum = issued.sums[t]->value.data();
    const Place2* at = &result_places()[t * kMostSums];
    for (int i = 0; i < n / 2; ++i) {
      const float added = product[at[i].row][at[i].column];
      sum[i] = w.add ? sum[i] + added : added;
    }
  }
}

void Warpgroup::finish_wait(unsigned t, std::uint64_t wanted) {
  Thread& thread = threads_[t];
  thread.fenced = false;
  std::erase_if(reading_, [wanted](const Reading& r) { return r.number < wanted; });
  for (auto sums = thread.sums.begin(); sums != thread.sums.end();) {
    const auto next = std::next(sums);
    if (sums->end <= wanted) {
      for (int i = 0; i < sums->count; ++i)
        require(std::bit_cast<std::uint32_t>(sums->d[i]) == kUnreadable,
                "accumulators were written while a wgmma that adds to them was under way");
      std::copy_n(sums->value.begin(), sums->count, sums->d);
      free_.splice(free_.end(), thread.sums, sums);
    }
    sums = next;
  }
}

bool Warpgroup::may_read(std::size_t begin, std::size_t end) const {
  return std::any_of(reading_.begin(), reading_.end(),
                     [=](const Reading& r) { return r.begin < end && begin < r.end; });
}

std::string Warpgroup::why_waiting() const {
  if (issued_.empty()) return "for a wgmma";
  return concat("for wgmma ", done_, " of the warpgroup, which ", issued_.front().by.count(), " of ",
                kThreads, " threads have issued");
}

void Warpgroup::check_end() const {
  for (unsigned t = 0; t < kThreads; ++t)
    require(threads_[t].sums.empty(), "a block ends with a wgmma under way: thread ", t,
            " of a warpgroup has not waited for it");
  require(issued_.empty(), "a block ends with a wgmma that only ",
          issued_.empty() ? 0 : issued_.front().by.count(), " of ", kThreads,
          " threads of the warpgroup have issued");
}

}  // namespace umbra::emulator
