// Output files that appear whole or not at all. What is written goes to a temporary name in the same folder;
// commit() forces it to the disk and renames it into place, so a reader never sees half a file and a crash
// leaves the old one.
#pragma once

#include <filesystem>
#include <string_view>

namespace umbra {

class AtomicFile {
 public:
  /// Reserves a temporary name beside `target` by creating it empty. Throws Error when the folder does not
  /// exist or cannot be written.
  explicit AtomicFile(std::filesystem::path target);
  /// Removes the temporary unless commit() was reached.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& target() const { return target_; }
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Flushes the temporary to the disk and renames it to the target. The writer must have closed it before.
  /// Throws Error naming the target; the target is then what it was before.
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  bool pending_ = true;
};

/// Removes what killed processes left beside their targets in `folder`. Only for a folder that no other process writes
/// to at the moment.
void remove_leftovers(const std::filesystem::path& folder);

/// Writes `text` as the whole of `path`, aside first. Throws Error naming the file (a full disk, a missing
/// folder).
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace umbra
