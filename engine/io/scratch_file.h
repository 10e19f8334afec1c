// A temporary file for data that do not fit into memory. It has no name, so that it disappears when the
// process ends, however it ends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace umbra {

/// An unnamed temporary file of 64-bit words.
class ScratchFile {
 public:
  /// Creates the file in `folder`. Throws Error when the folder does not exist or cannot be written.
  explicit ScratchFile(const std::filesystem::path& folder);
  /// Closes and thereby deletes the file.
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// Number of words written so far.
  std::uint64_t size() const { return size_; }
  /// Appends words at the end. Throws Error naming the folder when that fails (a full disk).
  void append(std::span<const std::uint64_t> words);
  /// Reads words [first, first + words.size()). Throws Error when they have not been written or cannot be
  /// read.
  void read(std::uint64_t first, std::span<std::uint64_t> words) const;

 private:
  std::string where_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace umbra
