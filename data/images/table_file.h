// Where a folder of images has its images and its table.
#pragma once

#include <filesystem>

#include "data/images/labels.h"

namespace umbra {

/// The table of a folder: the one that the options name or its only CSV file, other than those that predict and train
/// write; empty if there is none. Throws Error if there are several, or for a name without a file.
std::filesystem::path table_of(const std::filesystem::path& folder, const ImageOptions& options);
/// The folder of the images: the one that the options name, `images` or the folder itself. Throws Error if there is none.
std::filesystem::path folder_of_images(const std::filesystem::path& folder, const ImageOptions& options);

}  // namespace umbra
