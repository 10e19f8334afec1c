// The images in a folder by the ways in which a table may name them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// Whether a file or folder is hidden: its name begins with '.', as those of macOS (._1.png) and Jupyter do.
bool is_hidden(const std::filesystem::path& path);

/// All images of a folder and of the folders in it, except hidden ones. A link to a folder is followed unless that is
/// read anyway or contains `images`.
class ImageFiles {
 public:
  /// Lists the images of `images`, a folder in `folder`, that folder itself or another one. Throws Error if it cannot
  /// be read, has no images, or has one whose name is not UTF-8.
  ImageFiles(const std::filesystem::path& folder, const std::filesystem::path& images);
  /// The images in ascending order, relative to `folder`; absolute if `images` is, and not in it.
  const std::vector<std::string>& all() const { return all_; }
  /// The links that were not followed, for the user.
  const std::vector<std::string>& notes() const { return notes_; }
  /// The image that a table calls `name`: by its path, absolute or relative to `folder` or to `images`; or, without
  /// folders, by its name in any folder, with or without the ending. -1 if there is none; throws Error, without the name
  /// of the table, if there are several.
  std::int64_t find(std::string_view name) const;
  /// Why find() has no image of this name: " (there is b/1.PNG)"; "" if nothing is similar. Takes a pass over all images.
  std::string hint(std::string_view name) const;
  /// Whether a table may call an image so.
  bool has(std::string_view name) const;

 private:
  std::filesystem::path folder_;  // absolute
  std::vector<std::string> all_, notes_;
  std::map<std::string, std::vector<std::int64_t>> by_path_, by_name_, by_stem_;
};

}  // namespace umbra
