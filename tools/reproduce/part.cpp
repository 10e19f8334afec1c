#include "tools/reproduce/part.h"

#include "engine/base/error.h"
#include "tools/common/tool.h"

namespace umbra {

namespace fs = std::filesystem;

Places places_of(const std::string& program, const fs::path& out) {
  std::error_code ignored;
  const fs::path source = UMBRA_SOURCE_FOLDER;
  require(fs::exists(source / "tools/plot.py", ignored), source.string(),
          ": the repository that this program was built from was expected here");
  const fs::path nearby = fs::proximate(source, ignored);
  const bool inside = nearby.empty() || *nearby.begin() != "..";
  return {fs::path(program).parent_path(), inside ? nearby : source, out};
}

std::string shell_line(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& word : command) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

}  // namespace umbra
