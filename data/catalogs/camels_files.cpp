#include "data/catalogs/camels_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "data/catalogs/natural_order.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefixes[] = {"groups_", "fof_subhalo_tab_"};

// In "groups_090.hdf5"; one of several parts has ".0" before ".hdf5".
std::optional<std::int64_t> snapshot_of(const fs::path& path) {
  const std::string name = path.filename().string();
  for (const std::string_view prefix : kPrefixes) {
    if (!name.starts_with(prefix)) continue;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    if (error == std::errc()) return number;
  }
  return std::nullopt;
}

bool holds_group_catalog(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (is_group_catalog(entry.path())) return true;
  return false;
}

// Where the file system has no links, version control stores a link as a text file that contains its
// target. Without this check such a simulation would be missing silently.
std::optional<fs::path> link_in_text(const fs::path& file) {
  constexpr std::uintmax_t kLongestPath = 4096;
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error || size == 0 || size > kLongestPath) return std::nullopt;
  std::ifstream stream(file, std::ios::binary);
  const std::string target{std::istreambuf_iterator<char>(stream), {}};
  const bool is_path =
      std::none_of(target.begin(), target.end(), [](char c) { return c == '\n' || c == '\0'; });
  if (!is_path || fs::path(target).is_absolute()) return std::nullopt;
  const fs::path folder = file.parent_path() / target;
  return holds_group_catalog(folder) ? std::optional(folder) : std::nullopt;
}

struct Walk {
  std::vector<CamelsFile> found;
  std::vector<std::string> again, lost, texts;  // places found before, broken links, links in text files

  void visit(const fs::path& folder, const fs::path& place) {
    const auto here = key_of(folder);
    if (std::find(above_.begin(), above_.end(), here) != above_.end()) return;  // a link back up
    if (!seen_.insert(here).second) {
      again.push_back(place.string());
      return;
    }
    above_.push_back(here);
    for (const fs::path& entry : entries_of(folder)) look_at(entry, place / entry.filename());
    above_.pop_back();
  }

 private:
  using Key = std::pair<dev_t, ino_t>;

  static Key key_of(const fs::path& path) {
    struct stat known {};
    require(::stat(path.c_str(), &known) == 0, "'", path.string(), "' cannot be accessed");
    return {known.st_dev, known.st_ino};
  }

  // Links last, so that their targets keep their own names. Hidden entries are editors' locks and the
  // snapshots of file servers (.snapshot/hourly.0/LH_0), which contain the same simulations again.
  static std::vector<fs::path> entries_of(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> entries;
    fs::directory_iterator entry(folder, error), end;
    for (; !error && entry != end; entry.increment(error))
      if (!entry->path().filename().string().starts_with('.')) entries.push_back(entry->path());
    require(!error, "folder '", folder.string(), "' cannot be listed: ", error.message());
    const auto is_link = [](const fs::path& path) {
      std::error_code ignored;
      return fs::is_symlink(fs::symlink_status(path, ignored));
    };
    std::sort(entries.begin(), entries.end(), [&](const fs::path& a, const fs::path& b) {
      return is_link(a) != is_link(b) ? is_link(b) : natural_less(a.string(), b.string());
    });
    return entries;
  }

  void look_at(const fs::path& path, const fs::path& place) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      require(!is_group_catalog(path), "'", path.string(), "' is a broken link: ", error.message());
      lost.push_back(place.string());
    } else if (fs::is_directory(status)) {
      visit(path, place);
    } else if (fs::is_regular_file(status) && is_group_catalog(path)) {
      if (seen_.insert(key_of(path)).second)
        found.push_back({path, place, place.parent_path().filename().string()});
      else
        again.push_back(place.string());
    } else if (fs::is_regular_file(status)) {
      if (const auto target = link_in_text(path)) {
        texts.push_back(place.string());
        visit(*target, place);
      }
    }
  }

  std::set<Key> seen_;
  std::vector<Key> above_;
};

std::string joined(const std::set<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

void note(const std::vector<std::string>& places, const char* what, ImportReport& report) {
  if (places.empty()) return;
  const std::string more = places.size() > 1 ? concat(" and ", places.size() - 1, " more ") : " ";
  report.notes.push_back(concat("'", places[0], "'", more, what));
}

// The files of one snapshot.
std::vector<CamelsFile> chosen(const std::vector<CamelsFile>& files, std::int64_t snapshot,
                               const fs::path& folder, ImportReport& report) {
  std::set<std::int64_t> present;
  std::set<fs::path> with, all;
  std::vector<CamelsFile> kept;
  for (const CamelsFile& file : files) {
    const auto number = snapshot_of(file.path);
    if (number) present.insert(*number);
    all.insert(file.place.parent_path());
    if (number != snapshot) continue;
    with.insert(file.place.parent_path());
    kept.push_back(file);
  }
  require(!kept.empty(), "folder '", folder.string(), "' holds no snapshot ", snapshot, "; there are ",
          joined(present));
  if (with.size() < all.size())
    report.notes.push_back(concat("without snapshot ", snapshot, ": ", all.size() - with.size(), " of ",
                                  all.size(), " folders"));
  return kept;
}

// Throws Error unless there is one file per folder.
void check_choice(const std::vector<CamelsFile>& files) {
  std::map<fs::path, std::vector<const CamelsFile*>> by_folder;
  for (const CamelsFile& file : files) by_folder[file.place.parent_path()].push_back(&file);
  for (const auto& [folder, here] : by_folder) {
    if (here.size() == 1) continue;
    std::set<std::int64_t> snapshots;
    for (const CamelsFile* file : here)
      if (const auto number = snapshot_of(file->path)) snapshots.insert(*number);
    require(snapshots.size() < 2, "folder '", folder.string(), "' holds the snapshots ", joined(snapshots),
            "; choose one with --snapshot");
    fail("folder '", folder.string(), "' holds '", here[0]->path.filename().string(), "' and '",
         here[1]->path.filename().string(), "'; one catalog per folder is read, and none in several parts");
  }
}

}  // namespace

bool is_group_catalog(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".hdf5") &&
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::vector<CamelsFile> camels_files(const fs::path& folder, std::optional<std::int64_t> snapshot,
                                     ImportReport& report) {
  std::error_code error;
  require(fs::is_directory(folder, error), "folder '", folder.string(), "' does not exist");
  Walk walk;
  walk.visit(folder, folder);
  note(walk.again, "was found before by another path and is used once", report);
  note(walk.lost, "is a broken link and was skipped", report);
  note(walk.texts, "is a text file that represents a link and was followed", report);
  require(!walk.found.empty(), "folder '", folder.string(),
          "' holds no file */groups_*.hdf5 or */fof_subhalo_tab_*.hdf5");
  std::vector<CamelsFile> files =
      snapshot ? chosen(walk.found, *snapshot, folder, report) : std::move(walk.found);
  check_choice(files);
  std::sort(files.begin(), files.end(), [](const CamelsFile& a, const CamelsFile& b) {
    return natural_less(a.place.string(), b.place.string());
  });
  return files;
}

}  // namespace umbra
