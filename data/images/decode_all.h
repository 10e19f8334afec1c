// The pictures of a folder, decoded on all threads, piece by piece into an HDF5 file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/images/frame.h"
#include "data/images/labels.h"
#include "engine/base/stage.h"
#include "engine/io/hdf5.h"

namespace umbra {

/// The frame of the samples: from the options and, where they are auto, from the first picture that can be read. Throws
/// Error if none can.
ImageFrame frame_of(const std::filesystem::path& folder, const std::vector<std::string>& files,
                    const ImageOptions& options);

/// A picture that cannot be read.
struct BrokenImage {
  std::size_t index = 0;  ///< in the list of files
  std::string problem;    ///< begins with the path of the picture
};

/// Writes the samples of `files`, relative to `folder`, to the new dataset /inputs of `out`. Returns the pictures that
/// cannot be read, whose samples are 0. Memory holds one piece of 64 MiB. Throws Error for the first picture of another
/// size.
std::vector<BrokenImage> decode_all(const std::filesystem::path& folder,
                                    const std::vector<std::string>& files, const ImageFrame& frame,
                                    Hdf5File& out, const StageReport& progress);

}  // namespace umbra
