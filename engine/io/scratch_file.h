// A file for what does not fit into memory for a while. It has no name, so that it is gone when the process
// is, however that ends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace umbra {

class ScratchFile {
 public:
  /// Opens it in `folder`. Throws Error when the folder does not exist or cannot be written.
  explicit ScratchFile(const std::filesystem::path& folder);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// Words written so far; the next ones follow.
  std::uint64_t size() const { return size_; }
  /// Throws Error naming the folder (a full disk).
  void append(std::span<const std::uint64_t> words);
  /// Words `first` to first + words.size(), which must have been written.
  void read(std::uint64_t first, std::span<std::uint64_t> words) const;

 private:
  std::string where_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace umbra
