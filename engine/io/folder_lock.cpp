#include "engine/io/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/base/error.h"

namespace umbra {

FolderLock::FolderLock(const std::filesystem::path& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  require(descriptor_ >= 0, folder.string(), ": the folder cannot be opened: ", std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int problem = errno;
  ::close(descriptor_);
  require(problem != EWOULDBLOCK, folder.string(), ": another process is training in this folder");
  fail(folder.string(), ": the folder cannot be locked; the lock keeps two processes from training in it: ",
       std::strerror(problem));
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace umbra
