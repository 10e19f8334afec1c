#include "tools/learn/common/folder.h"

#include "engine/base/error.h"

namespace umbra::learn {

namespace fs = std::filesystem;

void refuse_file(const fs::path& folder, const std::string& who) {
  fs::path part;
  for (const fs::path& name : folder) {
    part /= name;
    std::error_code ignored;
    require(!fs::exists(part, ignored) || fs::is_directory(part, ignored), "'", part.string(),
            "' is a file; ", who, " needs a folder of that name");
  }
}

void make_folder(const fs::path& folder, const std::string& who) {
  refuse_file(folder, who);
  std::error_code error;
  fs::create_directories(folder, error);
  require(!error || fs::is_directory(folder), "cannot make the folder '", folder.string(),
          "': ", error.message());
}

}  // namespace umbra::learn
