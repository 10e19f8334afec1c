// A lock that lets two commands take turns in a folder.
#pragma once

#include <filesystem>

namespace umbra::learn {

/// Waits until no other process holds the lock of the folder, and holds it; it is released when the process ends,
/// however it ends. A folder that cannot be locked, as on some network file systems, does not keep a command from its
/// work.
class Turn {
 public:
  explicit Turn(const std::filesystem::path& folder);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int descriptor_;
};

}  // namespace umbra::learn
