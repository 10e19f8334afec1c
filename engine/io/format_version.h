// How old a file is. Every file umbra writes carries `format_version`: HDF5 as an attribute of the root, TOML
// and JSON as the first key, safetensors in its metadata. A file without one is older than this, and is read;
// metrics.csv, which other programs read as it is, has the version of the config.toml beside it.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/error.h"

namespace umbra {

/// Grows when the release before could misread a file of this one.
inline constexpr std::int64_t kFormatVersion = 1;
inline constexpr const char* kFormatVersionName = "format_version";

/// Throws Error naming `where` and both versions when `found` is newer than this release.
inline void check_format_version(std::int64_t found, const std::string& where) {
  require(found >= 1, where, ": format_version is ", found, ", a number from 1 is expected");
  require(found <= kFormatVersion, where, ": the file has format version ", found,
          ", this release reads up to ", kFormatVersion, "; a newer umbra reads it");
}

}  // namespace umbra
