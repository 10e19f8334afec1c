// A lock that admits one process at a time to a folder. It is released when the process ends, however it
// ends.
#pragma once

#include <filesystem>

namespace umbra {

/// Holds the lock of a folder.
class FolderLock {
 public:
  /// Locks `folder`. Throws Error when another process holds the lock, or when the folder cannot be locked.
  explicit FolderLock(const std::filesystem::path& folder);
  /// Releases the lock.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace umbra
