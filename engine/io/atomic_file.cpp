#include "engine/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "engine/base/error.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// A POSIX descriptor, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// ---- the temporary files of this process, for signal handlers ----

std::array<std::atomic<const char*>, 64> temporaries;

void remember(const char* path) {
  for (auto& slot : temporaries) {
    const char* none = nullptr;
    if (slot.compare_exchange_strong(none, path)) return;
  }
}

void forget(const char* path) {
  for (auto& slot : temporaries) {
    const char* own = path;
    if (slot.compare_exchange_strong(own, nullptr)) return;
  }
}

// ---- the destination of a file, and what it may replace ----

constexpr std::string_view kTemporary = ".umbra-tmp.";
constexpr std::string_view kRandom = "XXXXXX";

fs::path folder_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

// The file that a symbolic link leads to, whether or not it exists.
fs::path destination_of(const fs::path& target) {
  constexpr int kMostLinks = 40;  // the limit of Linux
  fs::path at = target;
  for (int links = 0; links < kMostLinks; ++links) {
    std::error_code error;
    if (!fs::is_symlink(fs::symlink_status(at, error))) return at;
    // A link below /proc is an open file and does not lead to a name: renaming would replace the wrong file.
    require(!fs::canonical(folder_of(at), error).string().starts_with("/proc/"), "cannot write '",
            target.string(), "': it is an open file of a process, but the name of a file is expected");
    const fs::path next = fs::read_symlink(at, error);
    require(!error, "cannot write '", target.string(), "': ", error.message());
    at = next.is_absolute() ? next : folder_of(at) / next;
  }
  fail("cannot write '", target.string(), "': ", std::strerror(ELOOP));
}

void check_replaceable(const fs::path& target, const fs::path& destination) {
  std::error_code ignored;
  require(target.has_filename() && !fs::is_directory(target, ignored), "cannot write '", target.string(),
          "': the name of a file is expected, not of a folder");
  // Renaming over /dev/null would replace the device.
  const bool exists = fs::exists(destination, ignored);
  require(!exists || fs::is_regular_file(destination, ignored), "cannot write '", target.string(),
          "': it exists and is not a regular file");
  const bool writable = !exists || ::faccessat(AT_FDCWD, destination.c_str(), W_OK, AT_EACCESS) == 0;
  require(writable, "cannot write '", target.string(),
          "': it exists and is write-protected: ", std::strerror(errno));
  require(fs::is_directory(folder_of(destination), ignored), "cannot write '", target.string(),
          "': the folder '", folder_of(destination).string(), "' does not exist");
}

// umask() has to change the mask to return it, so it is the second choice, and called once: a file that another thread makes
// meanwhile is private. Not every /proc has the mask.
mode_t mask_of_process() {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    unsigned mask = 0;
    if (name == "Umask:" && status >> std::oct >> mask) return mask;
  }
  static const mode_t mask_at_first = [] {
    const mode_t mask = ::umask(077);
    ::umask(mask);
    return mask;
  }();
  return mask_at_first;
}

// mkstemp makes files private. An output gets the permissions of any new file, or keeps those of the old one.
void take_permissions(int descriptor, const fs::path& destination) {
  struct stat old {};
  if (::stat(destination.c_str(), &old) == 0) {
    // Another user's file in a folder of ours becomes ours, as with any editor.
    const bool owned = ::fchown(descriptor, old.st_uid, old.st_gid) == 0 ||
                       ::fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) == 0;
    static_cast<void>(owned);
    ::fchmod(descriptor, old.st_mode & 07777);
    return;
  }
  ::fchmod(descriptor, 0666 & ~mask_of_process());
}

// The first part of the name of a temporary file for a file `name`; kRandom, which mkstemp replaces, follows.
std::string temporary_prefix(std::string name) {
  constexpr std::size_t kLongest = 255 - kTemporary.size() - 1 - kRandom.size();  // limit of Linux
  if (name.size() > kLongest) {
    name.resize(kLongest);
    while (!name.empty() && (name.back() & 0xc0) == 0x80) name.pop_back();  // never half a character
    if (!name.empty() && (name.back() & 0x80) != 0) name.pop_back();
  }
  return concat(kTemporary, name, ".");
}

// Creates an empty file. Its path; empty, with errno, if that fails.
fs::path new_file(const fs::path& folder, const std::string& name) {
  std::string path = (folder / concat(temporary_prefix(name), kRandom)).string();  // mkstemp fills in the X
  const Descriptor file(::mkstemp(path.data()));
  return file.get() >= 0 ? fs::path(path) : fs::path();
}

}  // namespace

AtomicFile::AtomicFile(fs::path target) : target_(std::move(target)), destination_(destination_of(target_)) {
  check_replaceable(target_, destination_);
  temporary_ = new_file(folder_of(destination_), destination_.filename().string());
  require(!temporary_.empty(), "cannot write '", target_.string(), "': ", std::strerror(errno));
  remember(temporary_.c_str());
}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  if (pending_) fs::remove(temporary_, ignored);
  forget(temporary_.c_str());
}

void AtomicFile::commit() {
  {
    const Descriptor file(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
    const bool flushed = file.get() >= 0 && ::fsync(file.get()) == 0;  // before errno is read
    require(flushed, "cannot write '", target_.string(), "': ", std::strerror(errno));
    take_permissions(file.get(), destination_);
  }
  const bool renamed = ::rename(temporary_.c_str(), destination_.c_str()) == 0;
  require(renamed, "cannot write '", target_.string(), "': ", std::strerror(errno));
  pending_ = false;
  // The rename survives a power failure only when the folder has been flushed too. Some file systems refuse
  // this.
  const Descriptor folder(::open(folder_of(destination_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
}

TemporaryFile::TemporaryFile(const fs::path& folder, const std::string& name)
    : path_(new_file(folder, name)) {
  require(!path_.empty(), "cannot write a temporary file in '", folder.string(), "': ", std::strerror(errno));
  remember(path_.c_str());
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  fs::remove(path_, ignored);
  forget(path_.c_str());
}

void remove_temporaries() noexcept {
  for (const auto& slot : temporaries)
    if (const char* path = slot.load()) ::unlink(path);
}

void remove_leftovers(const fs::path& folder, std::span<const char* const> names) {
  std::error_code ignored;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string found = entry.path().filename().string();
    const bool ours = std::any_of(names.begin(), names.end(), [&](const char* name) {
      const std::string prefix = temporary_prefix(name);
      return found.starts_with(prefix) && found.size() == prefix.size() + kRandom.size();
    });
    struct stat status {};
    if (ours && ::lstat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_uid == ::geteuid())
      leftovers.push_back(entry.path());
  }
  for (const auto& path : leftovers) fs::remove(path, ignored);
}

void write_text_file(const fs::path& path, std::string_view text) {
  AtomicFile output(path);
  {
    const Descriptor file(::open(output.temporary().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    require(file.get() >= 0, "cannot write '", path.string(), "': ", std::strerror(errno));
    while (!text.empty()) {
      const ssize_t written = ::write(file.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      require(written > 0, "cannot write '", path.string(), "': ", std::strerror(errno));
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  output.commit();
}

void refuse_input_as_output(const fs::path& out, std::span<const InputFile> inputs) {
  std::error_code ignored;
  for (const InputFile& input : inputs)
    require(!fs::equivalent(out, input.path, ignored), "cannot write '", out.string(), "': it is the input ",
            input.option, " '", input.path.string(), "', which would be lost");
}

}  // namespace umbra
