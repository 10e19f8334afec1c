// PartsFile: parts.json, what has been done in the folder of a reproduction.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tools/reproduce/part.h"

namespace umbra {

/// How far a part is.
enum class PartState {
  kRunning,   ///< it runs, or the program ended without recording more
  kStopped,   ///< a signal stopped it
  kFailed,    ///< its command failed
  kFinished,  ///< its outputs are complete
};
/// "running", "stopped", "failed", "finished".
std::string name_of(PartState state);

/// What is recorded of a part.
struct PartRecord {
  std::string name, title, command, version;  ///< the command as a line for a shell; the version of umbra
  std::string identity;                       ///< the command without the folders; see identity_of()
  PartState state = PartState::kRunning;
  double seconds = 0;                           ///< of all attempts that led to the outputs
  std::int64_t peak_memory = 0;                 ///< bytes
  std::map<std::string, std::string> inputs{};  ///< file -> fingerprint of its content
  std::string
      checkpoint_before{};  ///< fingerprint of resumes_from before the first attempt; a resume needs another
};

/// The records of all parts, in the file parts.json. Every change is written at once.
class PartsFile {
 public:
  /// Reads the file if there is one. Throws Error if it is not such a file.
  explicit PartsFile(std::filesystem::path path);

  /// The record of a part, or null.
  const PartRecord* find(const std::string& name) const;
  /// Adds or replaces the record of a part.
  void set(const PartRecord& record);
  /// Writes the file, which makes a folder one of a reproduction.
  void write() const;
  const std::vector<PartRecord>& records() const { return records_; }

 private:
  std::filesystem::path path_;
  std::vector<PartRecord> records_;
};

/// The command of a part without the folders of the tools and of the outputs, and without the paths of inputs that
/// no part makes (their content is compared): it does not change when the folder is moved or named differently.
std::string identity_of(const Part& part, const Places& places);

/// A hash of the content of a file, as text. Throws Error if it cannot be read.
std::string content_fingerprint(const std::string& file);

}  // namespace umbra
