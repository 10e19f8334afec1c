#include "data/images/image_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>

#include "data/images/image.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// Finds the images of a folder. Folders come before links to folders, so that the same images have the same names in
// whatever order a disk lists them.
class Walk {
 public:
  explicit Walk(const fs::path& top) {
    std::error_code ignored;
    const fs::path real = fs::canonical(top, ignored);
    for (fs::path above = real.parent_path(); !above.empty(); above = above.parent_path()) {
      above_.insert(identity(above));
      if (above == above.root_path()) break;
    }
    read(top);
    for (std::size_t i = 0; i < links_.size(); ++i) follow(links_[i]);  // links may lead to further links
  }
  std::vector<fs::path> images;
  std::vector<std::string> notes;

 private:
  using Identity = std::pair<std::uint64_t, std::uint64_t>;  // device and inode

  static Identity identity(const fs::path& path) {
    struct stat status {};
    ::stat(path.c_str(), &status);
    return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
  }

  void read(const fs::path& top) {
    std::vector<fs::path> folders{top};
    std::vector<fs::path> links;
    while (!folders.empty()) {
      const fs::path folder = std::move(folders.back());
      folders.pop_back();
      if (!read_.insert(identity(folder)).second) continue;
      std::error_code problem;
      fs::directory_iterator entries(folder, problem);
      for (; !problem && entries != fs::directory_iterator(); entries.increment(problem)) {
        std::error_code ignored;
        if (is_hidden(entries->path())) continue;
        if (entries->is_directory(ignored))
          (entries->is_symlink(ignored) ? links : folders).push_back(entries->path());
        else if (has_image_name(entries->path()) && entries->is_regular_file(ignored))
          images.push_back(entries->path());
      }
      if (problem) fail(folder.string(), ": the folder cannot be read: ", problem.message());
    }
    std::sort(links.begin(), links.end());
    links_.insert(links_.end(), links.begin(), links.end());
  }

  void follow(const fs::path& link) {
    const Identity target = identity(link);
    if (above_.contains(target))
      notes.push_back(concat(link.string(), ": this link to a folder above is not followed"));
    else if (read_.contains(target))
      notes.push_back(concat(link.string(), ": this link to a folder that is read anyway is not followed"));
    else
      read(link);
  }

  std::set<Identity> above_, read_;
  std::vector<fs::path> links_;
};

// With ? for all other characters.
std::string ascii(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; }, '?');
  return text;
}

// The path of an image from `folder`, or its absolute path if `folder` may be a link and ".." would leave it elsewhere.
std::string name_of(const fs::path& image, const fs::path& folder) {
  const fs::path relative = image.lexically_relative(folder);
  if (!relative.empty() && folder / relative == image) return relative.generic_string();
  const fs::path absolute = fs::absolute(image).lexically_normal(),
                 within = absolute.lexically_relative(fs::absolute(folder).lexically_normal());
  return (within.empty() || *within.begin() == ".." ? absolute : within).generic_string();
}

}  // namespace

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

ImageFiles::ImageFiles(const fs::path& folder, const fs::path& images)
    : folder_(fs::absolute(folder).lexically_normal()) {
  Walk walk(images);
  require(!walk.images.empty(), images.string(),
          ": it has no image; a folder of images has .jpg, .jpeg or .png ",
          "files and a table of their labels (CSV), as in docs/images.md");
  notes_ = std::move(walk.notes);
  std::vector<std::pair<std::string, fs::path>> named;
  for (const fs::path& image : walk.images) named.emplace_back(name_of(image, folder), image);
  std::sort(named.begin(), named.end());
  for (const auto& [name, image] : named) {
    if (!is_utf8(name))
      fail(ascii(name), ": the name is not UTF-8; rename the file (? is any byte beyond ASCII)");
    const auto index = std::ssize(all_);
    all_.push_back(name);
    by_path_[name] = {index};
    const std::string within = image.lexically_relative(images).generic_string();
    if (within != name) by_path_[within].push_back(index);
    by_name_[image.filename().string()].push_back(index);
    by_stem_[image.stem().string()].push_back(index);
  }
}

std::int64_t ImageFiles::find(std::string_view name) const {
  fs::path path = fs::path(name).lexically_normal();
  if (path.is_absolute() && !by_path_.contains(path.generic_string()))
    path = path.lexically_relative(folder_.has_filename() ? folder_ : folder_.parent_path());
  const bool is_bare = !path.has_parent_path();
  // A path with a folder never means a file of the same name in another folder, which may be another galaxy.
  for (const auto* index : {&by_path_, is_bare ? &by_name_ : nullptr, is_bare ? &by_stem_ : nullptr}) {
    if (index == nullptr) continue;
    const auto found = index->find(path.generic_string());
    if (found == index->end()) continue;
    const std::vector<std::int64_t>& files = found->second;
    require(files.size() == 1, "'", name, "' is ", all_[static_cast<std::size_t>(files[0])], " or ",
            files.size() > 1 ? all_[static_cast<std::size_t>(files[1])] : "");
    return files[0];
  }
  return -1;
}

std::string ImageFiles::hint(std::string_view name) const {
  if (name.find('\\') != std::string_view::npos) return " (folders are separated by /)";
  const fs::path path(name);
  const std::string wanted = lower_case(path.filename().string());
  for (const std::string& image : all_) {
    const fs::path other(image);
    if (lower_case(other.filename().string()) == wanted || lower_case(other.stem().string()) == wanted)
      return concat(" (there is ", image, ")");
  }
  return "";
}

bool ImageFiles::has(std::string_view name) const {
  try {
    return find(name) >= 0;
  } catch (const Error&) {  // there are several
    return true;
  }
}

}  // namespace umbra
