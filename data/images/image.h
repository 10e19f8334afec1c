// Pictures in JPEG and PNG files as arrays of bytes. What a file is follows from its content, not from its name.
//
// A small file can claim to be a huge picture. The limits below are checked before memory is allocated for pixels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace umbra {

inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;      ///< width times height of a picture
inline constexpr std::int64_t kMostImageBytes = std::int64_t{1} << 28;  ///< of a file with a picture

/// A picture with 8 bits per channel.
struct Image {
  std::int64_t width = 0,            ///< pixels
      height = 0,                    ///< pixels
      channels = 0;                  ///< 1 (grey) or 3 (red, green, blue)
  std::vector<std::uint8_t> pixels;  ///< [height, width, channels]
};

/// Whether this build contains libjpeg-turbo and libpng.
bool can_read_images();
/// Whether a file is called like a picture: .jpg, .jpeg or .png, in upper or lower case.
bool has_image_name(const std::filesystem::path& path);

/// A picture from the bytes of a JPEG or PNG file. Transparency is dropped, and 16 bits per channel are rounded to 8.
/// Throws Error, without the name of a file, for damaged pictures (a truncated file, a warning of libjpeg about its
/// data, a wrong checksum), for pictures beyond the limits, for CMYK and for other formats.
Image decode_image(std::span<const std::uint8_t> bytes);
/// The same for a file. The Error begins with its path.
Image read_image(const std::filesystem::path& path);

}  // namespace umbra
