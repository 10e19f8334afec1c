// The version of a file's format. Every file that umbra writes has a `format_version`: HDF5 as an attribute
// of the root, TOML and JSON as the first key, safetensors in its metadata. A file without one was written
// before versions existed, and is read. metrics.csv has no version, because other programs read it; the
// version of the config.toml in its folder applies.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/error.h"

namespace umbra {

/// The version that this release writes. It is increased when the previous release could misread a file of
/// this one.
inline constexpr std::int64_t kFormatVersion = 1;
/// Name of the attribute or key.
inline constexpr const char* kFormatVersionName = "format_version";

/// Throws Error naming `where` and both versions when `found` is newer than this release.
inline void check_format_version(std::int64_t found, const std::string& where) {
  require(found >= 1, where, ": format_version is ", found, ", but an integer of at least 1 is expected");
  require(found <= kFormatVersion, where, ": the file has format version ", found,
          ", but this release reads versions up to ", kFormatVersion, "; use a newer umbra");
}

}  // namespace umbra
