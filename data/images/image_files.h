// The pictures in a folder by the ways in which a table may name them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace umbra {

/// All pictures of a folder and of the folders in it.
class ImageFiles {
 public:
  /// Lists the pictures of `images`, a folder in `folder` or that folder itself. Throws Error if it cannot be read or
  /// has no pictures.
  ImageFiles(const std::filesystem::path& folder, const std::filesystem::path& images);
  /// The pictures in ascending order, relative to `folder`.
  const std::vector<std::string>& all() const { return all_; }
  /// The picture that a table calls `name`: by its path relative to `folder` or to `images`, by its name, or by its name
  /// without the ending. -1 if there is none; throws Error, without the name of the table, if there are several.
  std::int64_t find(const std::string& name) const;
  /// Whether a table may call a picture so.
  bool has(const std::string& name) const;

 private:
  std::vector<std::string> all_;
  std::map<std::string, std::vector<std::int64_t>> by_path_, by_name_, by_stem_;
};

}  // namespace umbra
