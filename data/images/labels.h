// The table of an image folder: which pictures there are, their labels, and who is trained on.
//
// The table is the CSV file of the folder. Its columns are found by their usual names or chosen by settings. Without a
// table, all pictures of the folder are samples without labels.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/setting.h"

namespace umbra {

/// How the pictures of a folder become samples; bind() gives the keys of the settings.
struct ImageOptions {
  std::string labels;  ///< the CSV file, relative to the folder; empty: the only one there
  std::string
      images;  ///< the folder of the pictures; empty: `images` if there is one, else the folder itself
  std::string file_column;   ///< the column with the names of the pictures; empty: by its name
  std::string label_column;  ///< the column with the classes; empty: by its name
  std::string name_column;   ///< the column with the names of classes that are numbers; empty: by its name
  std::string split_column;  ///< the column that says who is trained on; empty: by its name
  std::vector<std::string> value_columns;  ///< columns with values to learn instead of classes
  Auto<std::int64_t> size;                 ///< pixels per side of a sample; auto: that of the pictures
  std::int64_t crop = 0;         ///< side of the central square that is used; 0: as large as possible
  Auto<std::int64_t> channels;   ///< 1 or 3; auto: those of the first picture
  std::string broken = "error";  ///< what happens to pictures that cannot be read: "error" or "skip"
  std::string cache;             ///< the folder that keeps the decoded pictures; empty: next to the run
  std::vector<std::string> classes = {};  ///< no setting: the classes in the order of a run that exists
  bool needs_targets = true;              ///< no setting: whether what the settings name must be there

  /// The settings, bound to this object.
  std::vector<Setting> bind();
};

/// The pictures of a folder with what the table says about them.
struct ImageTable {
  std::filesystem::path labels;          ///< the CSV file; empty: none
  std::vector<std::string> files;        ///< [n] relative to the folder
  std::vector<std::int64_t> classes;     ///< [n], or none
  std::vector<std::string> class_names;  ///< [number of classes], or none
  std::int64_t class_count = 0;          ///< 0: no classes
  std::vector<double> values;            ///< [n, value_names], or none
  std::vector<std::string> value_names;  ///< of ImageOptions::value_columns
  std::vector<std::int64_t> sides;       ///< [n] 0: train, 1: validate, 2: neither; or none
  std::vector<std::string> missing;      ///< what is wrong with rows that have no picture, which are left out
  std::vector<std::string> notes;        ///< for the user: which columns were chosen, pictures without a row
  std::string why_no_targets;            ///< if there are neither classes nor values
};

/// Whether `path` is a folder with a picture in it, in its folder `images` or one level below.
bool is_image_folder(const std::filesystem::path& path);
/// Reads the table of a folder and finds the pictures of its rows. Throws Error with file, line and field for what the
/// table has wrong.
ImageTable read_image_table(const std::filesystem::path& folder, const ImageOptions& options);

}  // namespace umbra
