#include "engine/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"

namespace umbra {
namespace {

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

std::filesystem::path folder_of(const std::filesystem::path& target) {
  return target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  std::error_code ignored;
  require(target_.has_filename() && !std::filesystem::is_directory(target_, ignored), "cannot write '",
          target_.string(), "': the name of a file is expected, not of a folder");
  // Renaming over /dev/null would replace the device.
  require(!std::filesystem::exists(target_, ignored) || std::filesystem::is_regular_file(target_, ignored),
          "cannot write '", target_.string(), "': it exists and is not a regular file");
  const std::filesystem::path folder = folder_of(target_);
  require(std::filesystem::is_directory(folder, ignored), "cannot write '", target_.string(),
          "': the folder '", folder.string(), "' does not exist");
  std::string name = (folder / ("." + target_.filename().string() + "." + std::string(6, 'X')))
                         .string();  // mkstemp fills in the X
  const Descriptor file(::mkstemp(name.data()));
  require(file.get() >= 0, "cannot write '", target_.string(), "': ", std::strerror(errno));
  // mkstemp makes files private; an output gets the permissions any new file would.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(file.get(), 0666 & ~mask);
  temporary_ = name;
}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  if (pending_) std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  {
    const Descriptor file(::open(temporary_.c_str(), O_RDONLY));
    require(file.get() >= 0 && ::fsync(file.get()) == 0, "cannot write '", target_.string(),
            "': ", std::strerror(errno));
  }
  require(::rename(temporary_.c_str(), target_.c_str()) == 0, "cannot write '", target_.string(),
          "': ", std::strerror(errno));
  pending_ = false;
  // The rename itself survives a power cut only when the folder is on the disk too; some file systems refuse
  // this.
  const Descriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY));
  if (folder.get() >= 0) ::fsync(folder.get());
}

void remove_leftovers(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::vector<std::filesystem::path> leftovers;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::size_t dot = name.rfind('.');  // ".last.h5.a1B2c3", as the constructor made it
    if (entry.is_regular_file(ignored) && name[0] == '.' && dot > 1 && name.size() - dot == 7) {
      leftovers.push_back(entry.path());
    }
  }
  for (const auto& path : leftovers) std::filesystem::remove(path, ignored);
}

void write_text_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile output(path);
  {
    const Descriptor file(::open(output.temporary().c_str(), O_WRONLY | O_TRUNC));
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

}  // namespace umbra
