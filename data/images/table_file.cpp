#include "data/images/table_file.h"

#include <algorithm>
#include <fstream>

#include "data/images/image.h"
#include "data/images/image_files.h"
#include "engine/base/error.h"
#include "engine/base/listed.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

bool is_csv(const fs::path& path) {
  return lower_case(path.extension().string()) == ".csv" && !is_hidden(path);
}

// Whether a CSV file may have the labels: not the predictions of predict or the metrics of train.
bool is_table(const fs::path& path) {
  if (!is_csv(path)) return false;
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return !line.starts_with("row,file,") && !line.starts_with("epoch,step,split,");
}

bool holds_image(const fs::path& folder) {
  std::error_code problem;
  fs::directory_iterator entries(folder, problem);
  for (; !problem && entries != fs::directory_iterator(); entries.increment(problem))
    if (has_image_name(entries->path()) && !is_hidden(entries->path())) return true;
  return false;
}

}  // namespace

bool is_image_folder(const fs::path& path) {
  std::error_code problem;
  if (!fs::is_directory(path, problem)) return false;
  if (holds_image(path) || holds_image(path / "images")) return true;
  int below = 0;
  bool has_table = false;
  fs::directory_iterator entries(path, problem);
  for (; !problem && entries != fs::directory_iterator(); entries.increment(problem)) {
    std::error_code ignored;
    if (is_hidden(entries->path())) continue;
    has_table = has_table || is_table(entries->path());
    below += fs::is_directory(entries->path(), ignored) && holds_image(entries->path()) ? 1 : 0;
  }
  return below > 1 || (below == 1 && has_table);  // not the folder of a simulation with its plots
}

bool is_in_image_folder(const fs::path& file) {
  std::error_code problem;
  if (!fs::is_regular_file(file, problem)) return false;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  return has_image_name(file) || (is_csv(file) && is_image_folder(folder));
}

fs::path table_of(const fs::path& folder, const ImageOptions& options) {
  if (!options.labels.empty() && (options.needs_targets || fs::exists(folder / options.labels))) {
    require(fs::exists(folder / options.labels), (folder / options.labels).string(),
            ": there is no such file (data.labels)");
    return folder / options.labels;
  }
  std::vector<std::string> tables;
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_table(entry.path())) tables.push_back(entry.path().filename().string());
  std::sort(tables.begin(), tables.end());
  require(tables.size() < 2, folder.string(), ": there are several tables, ", listed(tables, "and"),
          options.needs_targets ? "; data.labels chooses one" : "");
  return tables.empty() ? fs::path() : folder / tables[0];
}

fs::path folder_of_images(const fs::path& folder, const ImageOptions& options) {
  const bool chosen =
      !options.images.empty() && (options.needs_targets || fs::is_directory(folder / options.images));
  fs::path images = chosen                                ? folder / options.images
                    : fs::is_directory(folder / "images") ? folder / "images"
                                                          : folder;
  require(fs::is_directory(images), images.string(), ": there is no such folder (data.images)");
  return images;
}

}  // namespace umbra
