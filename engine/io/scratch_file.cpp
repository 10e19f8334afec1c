#include "engine/io/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/base/error.h"

namespace umbra {

ScratchFile::ScratchFile(const std::filesystem::path& folder)
    : where_(concat("temporary file in '", folder.string(), "'")) {
  std::string name = (folder / ".umbra_scratch.XXXXXX").string();  // mkstemp fills in the X
#ifdef O_TMPFILE
  descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#endif
  if (descriptor_ < 0) {  // not every file system supports files without a name
    descriptor_ = ::mkstemp(name.data());
    if (descriptor_ >= 0) ::unlink(name.c_str());
  }
  require(descriptor_ >= 0, "cannot create a ", where_, ": ", std::strerror(errno));
}

ScratchFile::~ScratchFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ScratchFile::append(std::span<const std::uint64_t> words) {
  const auto* bytes = reinterpret_cast<const char*>(words.data());
  for (std::size_t left = words.size_bytes(); left > 0;) {
    const ssize_t written = ::write(descriptor_, bytes, left);
    if (written < 0 && errno == EINTR) continue;
    require(written > 0, "cannot write to a ", where_, " after ", size_ * sizeof(std::uint64_t),
            " bytes: ", std::strerror(errno));
    bytes += written;
    left -= static_cast<std::size_t>(written);
  }
  size_ += words.size();
}

void ScratchFile::read(std::uint64_t first, std::span<std::uint64_t> words) const {
  require(first <= size_ && words.size() <= size_ - first, "words ", first, " to ", first + words.size(),
          " of a ", where_, " were never written; it holds ", size_);
  auto* bytes = reinterpret_cast<char*>(words.data());
  auto offset = static_cast<off_t>(first * sizeof(std::uint64_t));
  for (std::size_t left = words.size_bytes(); left > 0;) {
    const ssize_t got = ::pread(descriptor_, bytes, left, offset);
    if (got < 0 && errno == EINTR) continue;
    require(got > 0, "cannot read from a ", where_, ": ",
            got < 0 ? std::strerror(errno) : "it was cut short");
    bytes += got;
    offset += got;
    left -= static_cast<std::size_t>(got);
  }
}

}  // namespace umbra
