// The table of an image folder: which images there are, their labels, and who is trained on.
//
// The table is the CSV file of the folder. Its columns are found by their usual names or chosen by settings. Without a
// table, all images of the folder are samples without labels.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/images/class_labels.h"
#include "engine/base/setting.h"

namespace umbra {

/// How the images of a folder become samples; bind() gives the keys of the settings.
struct ImageOptions {
  std::string labels;  ///< the CSV file, relative to the folder; empty: the only one there
  std::string images;  ///< the folder of the images; empty: `images` if there is one, else the folder itself
  std::string file_column;   ///< the column with the names of the images; empty: the one that has them
  std::string label_column;  ///< the column with the classes; empty: by its name
  std::string name_column;   ///< the column with the names of classes that are numbers; empty: by its name
  std::string split_column;  ///< the column that says who is trained on; empty: by its name
  std::vector<std::string> value_columns;  ///< columns with values to learn instead of classes
  Auto<std::int64_t> size;                 ///< pixels per side of a sample; auto: that of the images
  std::int64_t crop = 0;         ///< side of the central square that is used; 0: as large as possible
  Auto<std::int64_t> channels;   ///< 1 or 3; auto: those of the first image
  std::string broken = "error";  ///< what happens to images that cannot be read: "error" or "skip"
  std::string cache;             ///< the folder that keeps the decoded images; empty: next to the run
  RunClasses of_run = {};        ///< no setting: the classes of the run that predicts
  bool needs_targets =
      true;  ///< no setting: false to predict. Then tables, columns and targets are used if they can be;
             ///< ImageTable::notes has those that cannot, with the reason

  /// The settings, bound to this object.
  std::vector<Setting> bind();
};

/// The columns that were read, for a run that reads the same ones again; "" for none.
struct ImageColumns {
  std::string table;   ///< the CSV file, relative to the folder
  std::string files;   ///< with the names of the images
  std::string labels;  ///< with the classes
  std::string names;   ///< with the names of classes that are numbers
  std::string split;   ///< with the split
};

/// The images of a folder with what the table says about them.
struct ImageTable {
  std::filesystem::path labels;             ///< the CSV file; empty: none
  std::int64_t images = 0;                  ///< in the folder, with or without a row
  std::vector<std::string> files;           ///< [n] relative to the folder, or absolute
  std::vector<std::int64_t> classes;        ///< [n], or none; -1: no label, only if targets are not needed
  std::vector<std::string> class_names;     ///< [number of classes], or none
  std::vector<std::int64_t> class_numbers;  ///< [number of classes]: what the table calls them, or none
  std::int64_t class_count = 0;             ///< 0: no classes
  std::vector<double> values;  ///< [n, value_names], or none; NaN: no value, only if targets are not needed
  std::vector<std::string> value_names;  ///< of ImageOptions::value_columns
  std::vector<std::int64_t> sides;       ///< [n] 0: train, 1: validate, 2: neither; or none
  ImageColumns columns;                  ///< that were read
  std::vector<std::string> missing;      ///< what is wrong with rows that have no image, which are left out
  std::vector<std::string>
      notes;  ///< for the user: which columns were chosen, images without a row, rows without label
  std::string why_no_targets;  ///< if there are neither classes nor values
};

/// Whether `path` is a folder with an image in it, in its folder `images`, in one of its folders if it has a CSV file, or
/// in several of them.
bool is_image_folder(const std::filesystem::path& path);
/// Whether `file` is an image, or a CSV file in a folder of images: not a file but the folder is the data.
bool is_in_image_folder(const std::filesystem::path& file);
/// Reads the table of a folder and finds the images of its rows. Rows without a label are left out and counted in the
/// notes. If no targets are needed, images without a row follow those of the rows. Throws Error with file, line and field for what the table has wrong; if no targets are needed, notes have it.
ImageTable read_image_table(const std::filesystem::path& folder, const ImageOptions& options);

}  // namespace umbra
