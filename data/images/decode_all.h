// The images of a folder, decoded on all threads, piece by piece into an HDF5 file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/images/frame.h"
#include "data/images/labels.h"
#include "engine/base/stage.h"
#include "engine/io/hdf5.h"

namespace umbra {

/// The frame of the samples: from the options and, where they are auto, from the first image that can be read. Throws
/// Error if none can, or as read_image() does.
ImageFrame frame_of(const std::filesystem::path& folder, const std::vector<std::string>& files,
                    const ImageOptions& options);

/// An image for which read_image() threw DamagedImage.
struct BrokenImage {
  std::size_t index = 0;  ///< in the list of files
  std::string problem;    ///< begins with the path of the image
};

/// Writes the samples of `files`, relative to `folder`, to the new dataset /inputs of `out`. Returns the images that
/// are broken, whose samples are 0. Memory holds one piece of 64 MiB, and for every thread a file and its
/// image, of all images together at most 2^28 pixels. Throws Error for the
/// first image of another size, and for the first that could not be read for another reason: which images are left
/// out must not depend on the memory or the disk.
std::vector<BrokenImage> decode_all(const std::filesystem::path& folder,
                                    const std::vector<std::string>& files, const ImageFrame& frame,
                                    Hdf5File& out, const StageReport& progress);

}  // namespace umbra
