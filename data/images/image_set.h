// An image folder as an HDF5 file with samples of one shape: the images are decoded once, on all threads, and kept.
//
//   /inputs   u8 [n, channels, height, width], attribute scale = 1/255
//   /targets  classes or values, /split: from the table of the folder, if it has them; attribute class_numbers: what the
//             table calls the classes
//   /files    texts [n]: the images, relative to the folder
//   attributes of /: source, key (of the folder, its files and the options), left_out (which images)
//
// The file is called FOLDER-KEY.h5. It is used again as long as the table, the names, sizes and times of the images and
// the options stay the same; otherwise it gets another key.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/images/labels.h"
#include "engine/base/stage.h"
#include "engine/io/atomic_file.h"

namespace umbra {

/// Where decoded images are kept.
struct ImageCache {
  std::filesystem::path folder;  ///< empty: nowhere
  bool writes = false;           ///< whether a file is written there; otherwise one that is there is used
  /// The folder of a file that is not kept; empty: that of the system (TMPDIR).
  std::filesystem::path temporary = {};
};

/// The samples of an image folder.
struct ImageSet {
  std::filesystem::path file;      ///< HDF5, as above
  std::vector<std::string> notes;  ///< for the user: the columns used, images left out, where the file is
  ImageColumns columns;            ///< of the table that were read
  std::shared_ptr<const TemporaryFile> temporary;  ///< `file`, if it is not kept
};

/// The samples of `folder`. If they are not kept they are in a temporary file, which is also removed if a signal ends the
/// program. Throws Error as read_image_table() does,
/// for a folder without classes or values if the options need them, and for images that are broken, missing or of
/// different sizes unless the options say otherwise.
ImageSet open_image_set(const std::filesystem::path& folder, const ImageOptions& options,
                        const ImageCache& cache, const StageReport& progress = {});

}  // namespace umbra
