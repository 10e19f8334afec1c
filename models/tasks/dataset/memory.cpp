#include "models/tasks/dataset/memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace umbra {
namespace {

namespace fs = std::filesystem;

// The smallest number in the files `file` of `folder` and of all folders above it up to `root`; "max" means
// no limit.
std::int64_t least_limit(fs::path folder, const fs::path& root, const char* file) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (;; folder = folder.parent_path()) {
    std::ifstream stream(folder / file);
    std::int64_t limit = 0;
    if (stream >> limit) least = std::min(least, limit);
    if (folder == root || folder == folder.root_path()) return least;
  }
}

// Lines of /proc/self/cgroup are "number:controllers:/path"; an empty list of controllers means version 2.
std::int64_t control_group_limit() {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  std::ifstream stream("/proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty())
      least = std::min(least, least_limit("/sys/fs/cgroup" + path, "/sys/fs/cgroup", "memory.max"));
    if (controllers == "memory")
      least = std::min(least, least_limit("/sys/fs/cgroup/memory" + path, "/sys/fs/cgroup/memory",
                                          "memory.limit_in_bytes"));
  }
  return least;
}

}  // namespace

std::int64_t usable_memory() {
  const std::int64_t machine = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  const auto of_process = limit.rlim_cur >= static_cast<rlim_t>(std::numeric_limits<std::int64_t>::max())
                              ? std::numeric_limits<std::int64_t>::max()
                              : static_cast<std::int64_t>(limit.rlim_cur);
  return std::min({machine, of_process, control_group_limit()});
}

}  // namespace umbra
