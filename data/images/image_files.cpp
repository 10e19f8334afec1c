#include "data/images/image_files.h"

#include <algorithm>

#include "data/images/image.h"
#include "data/images/labels.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

constexpr auto kOptions = fs::directory_options::follow_directory_symlink;

bool has_picture(const fs::path& folder) {
  std::error_code problem;
  fs::directory_iterator entries(folder, problem);
  for (; !problem && entries != fs::directory_iterator(); entries.increment(problem))
    if (has_image_name(entries->path())) return true;
  return false;
}

}  // namespace

bool is_image_folder(const fs::path& path) {
  std::error_code problem;
  if (!fs::is_directory(path, problem)) return false;
  if (has_picture(path) || has_picture(path / "images")) return true;
  fs::directory_iterator entries(path, problem);
  for (; !problem && entries != fs::directory_iterator(); entries.increment(problem))
    if (fs::is_directory(entries->path(), problem) && has_picture(entries->path())) return true;
  return false;
}

ImageFiles::ImageFiles(const fs::path& folder, const fs::path& images) {
  std::error_code problem;
  fs::recursive_directory_iterator entries(images, kOptions, problem);
  for (; !problem && entries != fs::recursive_directory_iterator(); entries.increment(problem)) {
    std::error_code ignored;
    if (has_image_name(entries->path()) && entries->is_regular_file(ignored))
      all_.push_back(entries->path().lexically_relative(folder).generic_string());
    require(entries.depth() < 16, images.string(), ": its folders are more than 16 levels deep");
  }
  if (problem) fail(images.string(), ": the folder cannot be read: ", problem.message());
  require(!all_.empty(), images.string(), ": it has no picture (.jpg, .jpeg or .png)");
  std::sort(all_.begin(), all_.end());
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const fs::path path = all_[i], within = (folder / path).lexically_relative(images);
    by_path_[all_[i]] = {index};
    if (within != path) by_path_[within.generic_string()].push_back(index);
    by_name_[path.filename().string()].push_back(index);
    by_stem_[path.stem().string()].push_back(index);
  }
}

std::int64_t ImageFiles::find(const std::string& name) const {
  const std::string path = fs::path(name).lexically_normal().generic_string();
  for (const auto& [index, key] :
       {std::pair(&by_path_, path), std::pair(&by_name_, path), std::pair(&by_stem_, path),
        std::pair(&by_name_, fs::path(path).filename().string())}) {
    const auto found = index->find(key);
    if (found == index->end()) continue;
    const std::vector<std::int64_t>& files = found->second;
    require(files.size() == 1, "'", name, "' is ", all_[static_cast<std::size_t>(files[0])], " or ",
            files.size() > 1 ? all_[static_cast<std::size_t>(files[1])] : "");
    return files[0];
  }
  return -1;
}

bool ImageFiles::has(const std::string& name) const {
  try {
    return find(name) >= 0;
  } catch (const Error&) {  // there are several
    return true;
  }
}

}  // namespace umbra
