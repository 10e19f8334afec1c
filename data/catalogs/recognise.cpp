#include "data/catalogs/recognise.h"

#include <algorithm>

#include "engine/base/error.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

// Names that columns often have, in lower case, the likelier first.
struct Guess {
  std::string_view column;
  std::initializer_list<std::string_view> names;
};
const Guess kGuesses[] = {
    {"x",
     {"x", "halo_x", "pos_x", "posx", "xpos", "x_pos", "xc", "pos[0]", "position[0]", "subhalopos[0]",
      "coordinates[0]"}},
    {"y",
     {"y", "halo_y", "pos_y", "posy", "ypos", "y_pos", "yc", "pos[1]", "position[1]", "subhalopos[1]",
      "coordinates[1]"}},
    {"z",
     {"z", "halo_z", "pos_z", "posz", "zpos", "z_pos", "zc", "pos[2]", "position[2]", "subhalopos[2]",
      "coordinates[2]"}},
    {"vpeak", {"vpeak", "v_peak", "halo_vpeak", "vp", "vmp", "vmax", "v_max", "subhalovmax"}},
    {"mvir",
     {"mvir", "m_vir", "halo_mvir", "mhalo", "m_halo", "logmvir", "log_mvir", "logmhalo", "log_mhalo"}},
    {"mpeak", {"mpeak", "m_peak", "halo_mpeak", "mp", "logmpeak", "log_mpeak"}},
    {"vdisp", {"vdisp", "v_disp", "veldisp", "vel_disp", "subhaloveldisp"}},
    {"rmax", {"rmax", "r_max", "rvmax", "vmaxrad", "subhalovmaxrad"}},
    {"stellar_mass",
     {"stellar_mass", "stellarmass", "mstar", "m_star", "mstellar", "obs_sm", "sm", "logmstar", "log_mstar",
      "log_stellar_mass", "logsm", "logm", "log_m", "lmstar", "subhalomasstype[4]"}},
};

// A name that is not one word is quoted in an expression.
std::string in_expression(const std::string& name) {
  const bool plain =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@[]") ==
      std::string::npos;
  return plain && !(name[0] >= '0' && name[0] <= '9') ? name : concat('"', name, '"');
}

std::string guessed_columns(const std::vector<std::string>& names) {
  std::string text;
  for (const Guess& guess : kGuesses)
    for (const std::string_view candidate : guess.names) {
      const auto found = std::find_if(names.begin(), names.end(),
                                      [&](const std::string& name) { return lower_case(name) == candidate; });
      if (found == names.end()) continue;
      if (*found != guess.column)
        text += concat(text.empty() ? "" : ",", guess.column, "=", in_expression(*found));
      break;
    }
  return text;
}

}  // namespace

FileLook::FileLook(const std::filesystem::path& path) : path_(path), content_(content_of(path)) {
  require(std::filesystem::is_regular_file(path) || std::filesystem::is_directory(path), "'", path.string(),
          "' is neither a file nor a folder; a pipe can be read only once");
  if (content_ == Content::kHdf5) hdf5_.emplace(Hdf5File::open(path));
  if (content_ == Content::kText) names_ = open_text_table(path)->names();
}

bool FileLook::has_objects(std::initializer_list<const char*> objects) const {
  return hdf5_ &&
         std::all_of(objects.begin(), objects.end(), [&](const char* name) { return hdf5_->has(name); });
}

bool FileLook::has_names(std::initializer_list<std::string_view> names) const {
  return std::all_of(names.begin(), names.end(), [&](std::string_view name) {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  });
}

std::string FileLook::columns_of(std::span<const ColumnName> columns, const std::vector<std::string>& names) {
  std::string text, seen = ",";
  for (const ColumnName& column : columns) {
    if (std::find(names.begin(), names.end(), column.foreign) == names.end()) continue;
    if (seen.find(concat(",", column.ours, ",")) != std::string::npos) continue;
    seen += concat(column.ours, ",");
    text += concat(text.empty() ? "" : ",", column.ours, "=", in_expression(std::string(column.foreign)));
  }
  return text;
}

std::optional<Recognised> recognise_table(const FileLook& file) {
  const Content content = file.content();
  const bool is_table = content == Content::kHdf5 || content == Content::kFits || content == Content::kText;
  const bool gets_advice = content == Content::kParquet || content == Content::kNumpy;  // in an Error
  if (!is_table && !gets_advice) return std::nullopt;
  Recognised found{open_table(file.path())};
  found.how.columns = guessed_columns(found.table->names());
  describe_incomplete_hlist(file, found);
  return found;
}

}  // namespace umbra
