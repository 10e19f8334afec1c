#include "data/catalogs/camels_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "data/catalogs/natural_order.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// The snapshot in the name of a group catalog, "groups_090.hdf5" or "fof_subhalo_tab_090.hdf5"; one of
// several parts has ".0" before ".hdf5".
std::optional<std::int64_t> snapshot_of(std::string_view name) {
  if (!name.ends_with(".hdf5")) return std::nullopt;
  for (const std::string_view prefix : {"groups_", "fof_subhalo_tab_"}) {
    if (!name.starts_with(prefix)) continue;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    if (error == std::errc()) return number;
  }
  return std::nullopt;
}

// Version control and archives put the target of a link into a text file where the file system has no links.
// Such a file would silently be a simulation less.
std::optional<fs::path> link_in_text(const fs::path& file) {
  constexpr std::uintmax_t kLongestPath = 4096;
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error || size == 0 || size > kLongestPath) return std::nullopt;
  std::ifstream stream(file);
  std::string target, more;
  if (!std::getline(stream, target) || std::getline(stream, more) || target.find('\0') != std::string::npos)
    return std::nullopt;
  const fs::path folder = file.parent_path() / target;
  if (target.find('/') == std::string::npos || !fs::is_directory(folder, error)) return std::nullopt;
  return folder;
}

class Walk {
 public:
  void visit(const fs::path& folder, const fs::path& place) {
    if (!is_new(folder)) return;  // a link back up, or a second one to the same folder
    std::error_code error;
    fs::directory_iterator entry(folder, error), end;
    for (; !error && entry != end; entry.increment(error))
      look_at(entry->path(), place / entry->path().filename());
    require(!error, "folder '", folder.string(), "' cannot be listed: ", error.message());
  }

  std::vector<CamelsFile> found;
  std::int64_t again = 0;  // files found by a second way

 private:
  void look_at(const fs::path& path, const fs::path& place) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    require(fs::exists(status), "the link '", path.string(), "' leads nowhere; mend or remove it");
    if (fs::is_directory(status)) {
      visit(path, place);
    } else if (fs::is_regular_file(status) && snapshot_of(path.filename().string())) {
      if (is_new(path))
        found.push_back({path, place, place.parent_path().filename().string()});
      else
        ++again;
    } else if (fs::is_regular_file(status)) {
      if (const auto target = link_in_text(path)) visit(*target, place);
    }
  }

  bool is_new(const fs::path& path) {
    struct stat known {};
    return ::stat(path.c_str(), &known) != 0 || seen_.emplace(known.st_dev, known.st_ino).second;
  }

  std::set<std::pair<dev_t, ino_t>> seen_;
};

std::string joined(const std::set<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

// One file per folder.
void check_choice(const std::vector<CamelsFile>& files) {
  std::map<fs::path, std::vector<const CamelsFile*>> by_folder;
  for (const CamelsFile& file : files) by_folder[file.place.parent_path()].push_back(&file);
  for (const auto& [folder, here] : by_folder) {
    if (here.size() == 1) continue;
    std::set<std::int64_t> snapshots;
    for (const CamelsFile* file : here) snapshots.insert(*snapshot_of(file->path.filename().string()));
    require(snapshots.size() == 1, "folder '", folder.string(), "' holds the snapshots ", joined(snapshots),
            "; choose one with --snapshot");
    fail("folder '", folder.string(), "' holds '", here[0]->path.filename().string(), "' and '",
         here[1]->path.filename().string(), "' of one snapshot; catalogs in several parts are not read");
  }
}

}  // namespace

std::vector<CamelsFile> camels_files(const fs::path& folder, std::optional<std::int64_t> snapshot,
                                     ImportReport* report) {
  std::error_code error;
  require(fs::is_directory(folder, error), "folder '", folder.string(), "' does not exist");
  Walk walk;
  walk.visit(folder, folder);
  std::vector<CamelsFile> files = std::move(walk.found);
  require(!files.empty(), "folder '", folder.string(),
          "' holds no file */groups_*.hdf5 or */fof_subhalo_tab_*.hdf5");
  if (snapshot) {
    std::set<std::int64_t> present;
    std::set<fs::path> with, all;
    for (const CamelsFile& file : files) {
      const std::int64_t number = *snapshot_of(file.path.filename().string());
      present.insert(number);
      all.insert(file.place.parent_path());
      if (number == *snapshot) with.insert(file.place.parent_path());
    }
    std::erase_if(files, [&](const CamelsFile& file) {
      return snapshot_of(file.path.filename().string()) != snapshot;
    });
    require(!files.empty(), "folder '", folder.string(), "' holds no snapshot ", *snapshot, "; there are ",
            joined(present));
    if (report && with.size() < all.size())
      report->notes.push_back(concat(all.size() - with.size(), " folders have no snapshot ", *snapshot));
  }
  check_choice(files);
  if (report && walk.again > 0)
    report->notes.push_back(
        concat(walk.again, " files were found a second time through links and count once"));
  std::sort(files.begin(), files.end(), [](const CamelsFile& a, const CamelsFile& b) {
    return natural_less(a.place.string(), b.place.string());
  });
  return files;
}

}  // namespace umbra
