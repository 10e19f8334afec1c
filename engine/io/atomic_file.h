// Output files that appear whole or not at all. What is written goes to a temporary name in the same folder;
// commit() forces it to the disk and renames it into place, so a reader never sees half a file and a crash
// leaves the old one.
//
// Nothing of the user's is lost on the way: a symbolic link is written through and stays, a file that is
// there keeps its mode and owner, and devices, pipes, write-protected files and open files of a process
// (/dev/stdout) are refused.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace umbra {

class AtomicFile {
 public:
  /// Reserves a temporary name beside the file that `target` leads to, by creating it empty. Throws Error
  /// when that cannot be written or must not be replaced.
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
  std::filesystem::path target_;       // as the user wrote it
  std::filesystem::path destination_;  // the file itself, behind all links
  std::filesystem::path temporary_;
  bool pending_ = true;
};

/// Unlinks the temporaries of all AtomicFiles of this process. For signal handlers: it may be called at any
/// moment, and the process must end afterwards.
void remove_temporaries() noexcept;

/// Removes what killed processes left of AtomicFiles for the files `names` in `folder`, which only the caller
/// writes: regular files of this user, by a name that nothing else has.
void remove_leftovers(const std::filesystem::path& folder, std::span<const char* const> names);

/// Writes `text` as the whole of `path`, aside first. Throws Error naming the file (a full disk, a missing
/// folder).
void write_text_file(const std::filesystem::path& path, std::string_view text);

/// A file that a command reads and the option that names it.
struct InputFile {
  std::string option;  // "--data"
  std::filesystem::path path;
};
/// Throws Error when `out` is one of `inputs`, by whatever spelling or link: it would be lost.
void refuse_input_as_output(const std::filesystem::path& out, std::span<const InputFile> inputs);

}  // namespace umbra
