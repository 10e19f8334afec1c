#include "tests/mutated/mutate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace umbra::mutated {
namespace {

constexpr std::size_t kHead = 4096;  // where most formats have their header

// The starts of the structures of an HDF5 file: metadata are a small, scattered part of the file.
std::vector<std::size_t> structures(std::string_view bytes) {
  std::vector<std::size_t> found;
  for (const std::string_view name :
       {"TREE", "HEAP", "SNOD", "GCOL", "OHDR", "OCHK", "FRHP", "FHDB", "FHIB", "BTHD", "BTLF", "FAHD"})
    for (std::size_t at = bytes.find(name); at != bytes.npos; at = bytes.find(name, at + 1))
      found.push_back(at);
  return found;
}

std::size_t place(std::string_view bytes, Draws& draws) {
  const std::size_t choice = draws.below(4);
  if (choice < 2) return draws.below(std::min(kHead, bytes.size()));
  if (choice == 2) {
    const auto starts = structures(bytes);
    if (!starts.empty())
      return std::min(bytes.size() - 1, starts[draws.below(starts.size())] + draws.below(512));
  }
  return draws.below(bytes.size());
}

// Half of the slices are short, like most structures of the metadata.
std::size_t length(std::string_view bytes, std::size_t at, Draws& draws) {
  const std::size_t most = draws.below(2) == 0 ? 64 : bytes.size();
  return 1 + draws.below(std::min(most, bytes.size() - at));
}

void flip_bits(std::string& bytes, Draws& draws) {
  for (std::size_t n = 1 + draws.below(4); n > 0; --n) {
    const std::size_t at = place(bytes, draws);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << draws.below(8)));
  }
}

void overwrite_word(std::string& bytes, Draws& draws) {
  const std::size_t at = place(bytes, draws);
  const std::size_t size = std::min(std::size_t{1} << draws.below(4), bytes.size() - at);
  std::array<char, 8> word{};
  const std::size_t kind = draws.below(4);
  if (kind == 1) word.fill('\xff');
  if (kind == 2) {
    word.fill('\xff');
    word[size - 1] = '\x7f';  // the largest signed number
  }
  if (kind == 3)
    for (char& byte : word) byte = static_cast<char>(draws.word());
  std::copy_n(word.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

void overwrite_run(std::string& bytes, Draws& draws) {
  const std::size_t at = place(bytes, draws), size = std::min(1 + draws.below(64), bytes.size() - at);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, draws.below(2) == 0 ? '\0' : '\x5a');
}

void step_integer(std::string& bytes, Draws& draws) {
  const std::size_t at = place(bytes, draws);
  const std::size_t size = std::min(std::size_t{1} << draws.below(4), bytes.size() - at);
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data() + at, size);
  number += draws.below(2) == 0 ? std::uint64_t{1} : ~std::uint64_t{0};
  std::memcpy(bytes.data() + at, &number, size);
}

// Replaces a digit of a text in the file by another.
void change_digit(std::string& bytes, Draws& draws) {
  const std::size_t at = bytes.find_first_of("0123456789", place(bytes, draws));
  if (at != bytes.npos) bytes[at] = static_cast<char>('0' + draws.below(10));
}

void truncate(std::string& bytes, Draws& draws) {
  bytes.resize(draws.below(2) == 0 ? place(bytes, draws) : draws.below(bytes.size()));
}

void remove_slice(std::string& bytes, Draws& draws) {
  const std::size_t at = place(bytes, draws);
  bytes.erase(at, length(bytes, at, draws));
}

void duplicate_slice(std::string& bytes, Draws& draws) {
  const std::size_t at = place(bytes, draws);
  bytes.insert(at, bytes.substr(at, length(bytes, at, draws)));
}

void copy_slice(std::string& bytes, Draws& draws) {
  const std::size_t from = place(bytes, draws), to = place(bytes, draws);
  const std::string slice = bytes.substr(from, std::min(length(bytes, from, draws), bytes.size() - to));
  bytes.replace(to, slice.size(), slice);
}

void swap_slices(std::string& bytes, Draws& draws) {
  const std::size_t one = place(bytes, draws), two = place(bytes, draws);
  const std::size_t low = std::min(one, two), high = std::max(one, two);
  const std::size_t size = std::min({length(bytes, low, draws), high - low, bytes.size() - high});
  for (std::size_t i = 0; i < size; ++i) std::swap(bytes[low + i], bytes[high + i]);
}

}  // namespace

std::string mutate_bytes(std::string bytes, Draws& draws) {
  using Change = void (*)(std::string&, Draws&);
  // Kinds of damage that move no other bytes are more frequent: files with shifted content are refused early.
  constexpr Change kChanges[] = {flip_bits,       flip_bits,    overwrite_word, overwrite_word, overwrite_run,
                                 step_integer,    step_integer, change_digit,   truncate,       remove_slice,
                                 duplicate_slice, copy_slice,   swap_slices};
  const std::size_t changes = draws.below(2) == 0 ? 1 : 1 + draws.below(4);
  for (std::size_t n = 0; n < changes && !bytes.empty(); ++n)
    kChanges[draws.below(std::size(kChanges))](bytes, draws);
  return bytes;
}

}  // namespace umbra::mutated
