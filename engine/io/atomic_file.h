// Output files that appear complete or not at all. The content is written to a temporary file in the same
// folder. commit() flushes it to the disk and renames it to its final name, so that a reader never sees
// half a file and a crash leaves the old file.
//
// Nothing of the user's is lost: a symbolic link stays and the file it leads to is replaced, an existing
// file keeps its mode and owner, and devices, pipes, write-protected files and open files of a process
// (/dev/stdout) are refused.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace umbra {

/// An output file that is written under a temporary name.
class AtomicFile {
 public:
  /// Creates an empty temporary file in the folder of the file that `target` leads to. Throws Error when the
  /// target cannot be written or must not be replaced.
  explicit AtomicFile(std::filesystem::path target);
  /// Removes the temporary file unless commit() has succeeded.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// The path given to the constructor.
  const std::filesystem::path& target() const { return target_; }
  /// The file to write to before commit().
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Flushes the temporary file to the disk and renames it to the target. The writer must have closed it. On
  /// failure throws Error naming the target, which is then unchanged.
  void commit();

 private:
  std::filesystem::path target_;       // as the user wrote it
  std::filesystem::path destination_;  // the file at the end of all links
  std::filesystem::path temporary_;
  bool pending_ = true;
};

/// A file for the time of this object, under a name that no other process uses.
class TemporaryFile {
 public:
  /// Creates an empty file in `folder`, with `name` as a part of its name. Throws Error when that cannot be done.
  TemporaryFile(const std::filesystem::path& folder, const std::string& name);
  /// Removes the file.
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  /// The file.
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Unlinks the temporary files of all AtomicFiles and TemporaryFiles of this process. For signal handlers: it may be called at
/// any time, and the process must end afterwards.
void remove_temporaries() noexcept;

/// Removes temporary files that killed processes left in `folder`, of AtomicFiles with the targets `names`.
/// Only regular files of this user with a name that only AtomicFile uses are removed. No other process may
/// be writing these targets.
void remove_leftovers(const std::filesystem::path& folder, std::span<const char* const> names);

/// Writes `text` to `path` through an AtomicFile. Throws Error naming the file (a full disk, a missing
/// folder).
void write_text_file(const std::filesystem::path& path, std::string_view text);

/// A file that a command reads and the option that names it.
struct InputFile {
  std::string option;          ///< as on the command line, such as "--data"
  std::filesystem::path path;  ///< as the user wrote it
};
/// Throws Error when `out` is one of `inputs`, whatever spelling or link leads to it: the input would be
/// lost.
void refuse_input_as_output(const std::filesystem::path& out, std::span<const InputFile> inputs);

}  // namespace umbra
