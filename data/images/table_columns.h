// Which columns of the table of an image folder are read: those that settings name, or those with usual names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/images/csv.h"
#include "data/images/image_files.h"
#include "data/images/labels.h"

namespace umbra {

/// Columns of a table, by their numbers.
struct TableColumns {
  std::size_t files = 0;                 ///< with the names of the images
  std::optional<std::size_t> labels;     ///< with the classes
  std::optional<std::size_t> names;      ///< that may have the names of classes that are numbers
  std::optional<std::size_t> split;      ///< with train, val or test
  std::vector<std::size_t> values;       ///< of ImageOptions::value_columns: all of them, or none
  std::vector<std::string> missing;      ///< to predict: those of the run that are not there
  std::vector<std::size_t> all() const;  ///< of these
};

/// Chooses the columns of a table whose first rows have been read. The images are named by the column that has most of
/// them there. Throws Error for a setting that names no column, and if no column names the images.
TableColumns choose_columns(const TextTableRows& table, const ImageOptions& options, const ImageFiles& files);

}  // namespace umbra
