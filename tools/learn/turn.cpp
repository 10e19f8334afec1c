#include "tools/learn/turn.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

#include "tools/learn/course.h"

namespace umbra::learn {

Turn::Turn(const std::filesystem::path& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) return;
  for (int tries = 1; ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; ++tries) {
    if (tries == 50) {  // a second
      std::printf("waiting for another command in %s …\n", shown(folder).c_str());
      std::fflush(stdout);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Turn::~Turn() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace umbra::learn
