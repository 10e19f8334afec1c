// One process at a time in a folder. The lock goes with the process, however it ends.
#pragma once

#include <filesystem>

namespace umbra {

class FolderLock {
 public:
  /// Throws Error when another process holds the lock, or with the reason why there cannot be one.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace umbra
