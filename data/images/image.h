// Images in JPEG and PNG files as arrays of bytes. What a file is follows from its content, not from its name.
//
// A small file can claim to be a huge image. The limits below are checked before memory is allocated for pixels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "engine/base/error.h"

namespace umbra {

inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;      ///< width times height of an image
inline constexpr std::int64_t kMostImageBytes = std::int64_t{1} << 28;  ///< of a file with an image

/// An image with 8 bits per channel.
struct Image {
  std::int64_t width = 0,            ///< pixels
      height = 0,                    ///< pixels
      channels = 0;                  ///< 1 (grey) or 3 (red, green, blue)
  std::vector<std::uint8_t> pixels;  ///< [height, width, channels]
};

/// The content of a file is damaged or of a kind that is not read. Other errors of read_image(), of the disk and of
/// memory, say nothing about the image.
class DamagedImage final : public Error {
 public:
  using Error::Error;
};

/// Whether this build contains libjpeg-turbo and libpng.
bool can_read_images();
/// Whether a file is called like an image: .jpg, .jpeg or .png, in upper or lower case.
bool has_image_name(const std::filesystem::path& path);

/// Called with width times height of an image before memory is allocated for its pixels; it may wait or throw.
using BeforePixels = std::function<void(std::int64_t)>;

/// An image from the bytes of a JPEG or PNG file. Transparency is dropped, and 16 bits per channel are rounded to 8.
/// Throws Error, without the name of a file, for damaged images (a truncated file, a warning of libjpeg about its
/// data, a wrong checksum), for images beyond the limits, for CMYK and for other formats; std::bad_alloc if there is
/// not enough memory.
Image decode_image(std::span<const std::uint8_t> bytes, const BeforePixels& before = {});
/// The same for a file: throws DamagedImage instead, and Error if the file cannot be read or there is not enough memory.
/// Both begin with its path.
Image read_image(const std::filesystem::path& path, const BeforePixels& before = {});

}  // namespace umbra
