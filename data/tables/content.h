// What a file contains, from its first bytes. Names are not used.
#pragma once

#include <filesystem>
#include <string>

namespace umbra {

/// What begins a file.
enum class Content {
  kFolder,       ///< a folder
  kHdf5,         ///< HDF5
  kFits,         ///< FITS, also compressed with gzip
  kParquet,      ///< Apache Parquet
  kNumpy,        ///< NumPy's .npy or .npz
  kSafetensors,  ///< safetensors
  kJson,         ///< JSON
  kText,  ///< text, also compressed or in UTF-16, which TextReader refuses unless it is gzip; a pipe counts as text,
          ///< because it can be read only once
  kOther  ///< anything else
};

/// The content of a file. Throws Error when it does not exist or cannot be opened.
Content content_of(const std::filesystem::path& path);

/// The first `size` bytes of a file, decompressed if it is compressed with gzip; fewer if it is shorter.
std::string first_bytes(const std::filesystem::path& path, std::size_t size);

}  // namespace umbra
