#include <algorithm>
#include <cctype>
#include <filesystem>

#include "tools/predict/tasks.h"

namespace umbra {

bool is_csv(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending == ".csv";
}

}  // namespace umbra
