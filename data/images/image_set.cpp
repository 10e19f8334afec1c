#include "data/images/image_set.h"

#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cstdio>

#include "data/images/decode_all.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kVersion =
    "umbra image folder 1";             // changes when the same images give other samples
constexpr std::size_t kMostNamed = 20;  // broken images that notes name

// FNV-1a over bytes.
class Key {
 public:
  void add(std::string_view text) {
    for (const char c : text) step(static_cast<unsigned char>(c));
    step(0);
  }
  void add(std::int64_t number) {
    for (int byte = 0; byte < 8; ++byte) step(static_cast<std::uint64_t>(number) >> (8 * byte) & 0xff);
  }
  void add(double number) { add(std::bit_cast<std::int64_t>(number)); }
  std::string text() const {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash_));
    return digits;
  }

 private:
  void step(std::uint64_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

// `skips`: with images left out. Without any the samples are the same whatever happens to broken ones.
std::string key_of(const fs::path& folder, const ImageTable& table, const ImageOptions& options, bool skips) {
  Key key;
  key.add(kVersion);
  key.add(fs::weakly_canonical(folder).string());
  for (const std::int64_t number : {options.size.number.value_or(0), options.crop,
                                    options.channels.number.value_or(0), table.class_count})
    key.add(number);
  key.add(skips ? "skip" : "error");
  for (const std::string& file : table.files) {
    struct stat status {};
    ::stat((folder / file).c_str(), &status);
    key.add(file);
    for (const std::int64_t number : {std::int64_t{status.st_size}, std::int64_t{status.st_mtim.tv_sec},
                                      std::int64_t{status.st_mtim.tv_nsec}})
      key.add(number);
  }
  for (const auto* texts : {&table.class_names, &table.value_names})
    for (const std::string& text : *texts) key.add(text);
  const std::string typed = folder.string();
  for (const std::string_view text : table.missing)
    key.add(text.starts_with(typed) ? text.substr(typed.size()) : text);  // for any spelling of the folder
  for (const auto* numbers : {&table.classes, &table.class_numbers, &table.sides})
    for (const std::int64_t number : *numbers) key.add(number);
  for (const double number : table.values) key.add(number);
  return key.text();
}

template <class T>
void remove_rows(std::vector<T>& rows, const std::vector<BrokenImage>& broken, std::size_t width = 1) {
  if (rows.empty()) return;
  for (auto at = broken.rbegin(); at != broken.rend(); ++at) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(at->index * width);
    rows.erase(begin, begin + static_cast<std::ptrdiff_t>(width));
  }
}

// Names the first of several problems, and counts them.
std::string summary(const std::vector<std::string>& problems, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < most; ++i)
    text += concat(i == 0 ? "" : "; ", problems[i]);
  return problems.size() > most ? concat(text, "; and ", problems.size() - most, " more") : text;
}

void write_targets(const ImageTable& table, Hdf5File& out) {
  const auto count = std::ssize(table.files);
  out.write_texts("files", table.files);
  if (!table.sides.empty()) out.write<std::int64_t>("split", table.sides);
  if (!table.values.empty()) {
    out.write<double>("targets", table.values, {count, std::ssize(table.value_names)});
    out.set_attribute("targets", "target_names", table.value_names);
  }
  if (table.classes.empty()) return;
  out.write<std::int64_t>("targets", table.classes);
  if (table.class_names.empty())
    out.set_attribute("targets", "classes", table.class_count);
  else
    out.set_attribute("targets", "classes", table.class_names);
  if (!table.class_numbers.empty())
    out.set_attribute("targets", "class_numbers",
                      std::vector<double>(table.class_numbers.begin(), table.class_numbers.end()));
}

// Writes the file; images that cannot be read or are missing are left out, or are an Error.
void write_image_set(const fs::path& folder, ImageTable table, const ImageOptions& options,
                     const std::string& key, const fs::path& file, const StageReport& progress) {
  const std::size_t all = table.files.size() + table.missing.size();
  std::vector<std::string> problems = table.missing;
  const auto check = [&](const std::vector<BrokenImage>& broken) {
    for (const BrokenImage& image : broken) problems.push_back(image.problem);
    require(problems.empty() || options.broken == "skip", folder.string(), ": ", problems.size(), " of ", all,
            " images cannot be read: ", summary(problems, 3),
            "; in train, data.broken_images=skip leaves them out");
    remove_rows(table.files, broken);
    remove_rows(table.classes, broken);
    remove_rows(table.sides, broken);
    remove_rows(table.values, broken, table.value_names.size());
  };
  const ImageFrame frame = frame_of(folder, table.files, options);
  // Broken images are known only when all have been decoded; without them the file is made once more.
  for (bool complete = false; !complete;) {
    Hdf5File out = Hdf5File::create(file);
    const std::vector<BrokenImage> broken = decode_all(folder, table.files, frame, out, progress);
    complete = broken.empty();
    check(broken);
    if (!complete) continue;
    write_targets(table, out);
    out.set_attribute("/", "left_out",
                      problems.empty() ? ""
                                       : concat(problems.size(), " of ", all,
                                                " images are left out: ", summary(problems, kMostNamed)));
    out.set_attribute("/", "source", folder.string());
    out.set_attribute("/", "key", key);
    out.commit();
  }
}

bool has_key(const fs::path& file, const std::string& key) {
  return fs::exists(file) && Hdf5File::open(file).remark("/", "key") == key;
}

// For the user: files of the folder with other keys, which are not removed because other runs may have these settings.
std::string other_files(const fs::path& cache, const std::string& name) {
  constexpr std::size_t kEnd = 16 + 3;  // of a name: the key and the ending
  std::int64_t others = 0;
  fs::path first;
  std::error_code problem;
  fs::directory_iterator entries(cache, problem);
  for (; !problem && entries != fs::directory_iterator(); entries.increment(problem)) {
    const std::string other = entries->path().filename().string();
    const bool is_one = other != name && other.size() == name.size() && other.ends_with(".h5") &&
                        other.compare(0, other.size() - kEnd, name, 0, name.size() - kEnd) == 0;
    if (is_one && (++others == 1 || entries->path() < first)) first = entries->path();
  }
  return others == 0 ? ""
                     : concat(first.string(), others > 1 ? concat(" and ", others - 1, " more") : "",
                              ": of other settings or an earlier state of this folder; may be removed");
}

}  // namespace

ImageSet open_image_set(const fs::path& given, const ImageOptions& chosen, const ImageCache& cache,
                        const StageReport& progress) {
  const fs::path folder = given.has_filename() ? given : given.parent_path();  // "galaxies/" is "galaxies"
  const ImageTable table = read_image_table(folder, chosen);
  require(!chosen.needs_targets || table.why_no_targets.empty(), table.why_no_targets);
  ImageOptions options = chosen;  // a run records its channels: the file is then the same one
  if (!options.channels.number) options.channels.number = frame_of(folder, table.files, options).channels;
  const auto name_for = [&](const std::string& key) {
    return concat(fs::weakly_canonical(folder).filename().string(), "-", key, ".h5");
  };
  std::string key = key_of(folder, table, options, false);
  if (options.broken == "skip" && !(fs::exists(cache.folder / name_for(key)) && !cache.folder.empty()))
    key = key_of(folder, table, options, true);
  const std::string name = name_for(key);
  ImageSet set;
  set.file = cache.folder / name;
  const bool found = !cache.folder.empty() && fs::exists(set.file);
  require(!found || has_key(set.file, key), set.file.string(),
          ": this file is not what umbra wrote; remove it");
  const bool keeps = found || (!cache.folder.empty() && cache.writes);
  if (!keeps) {
    set.temporary = std::make_shared<TemporaryFile>(
        cache.temporary.empty() ? fs::temp_directory_path() : cache.temporary, name);
    set.file = set.temporary->path();
  } else if (!found) {
    std::error_code problem;
    fs::create_directories(cache.folder, problem);
    if (problem) fail(cache.folder.string(), ": the folder cannot be created: ", problem.message());
  }
  if (!found) write_image_set(folder, table, options, key, set.file, progress);
  const Hdf5File file = Hdf5File::open(set.file);
  set.notes = table.notes;
  set.columns = table.columns;
  if (const std::string left_out = file.attribute_text("/", "left_out"); !left_out.empty())
    set.notes.push_back(left_out);
  if (keeps)
    set.notes.push_back(concat(file.describe("inputs").shape[0], " decoded images ",
                               found ? "are read from " : "are kept in ", set.file.string()));
  if (const std::string others = other_files(cache.folder, name); keeps && !found && !others.empty())
    set.notes.push_back(others);
  return set;
}

}  // namespace umbra
