// The decoders behind decode_image(), one file each. In a build without their libraries images_absent.cpp has both.
#pragma once

#include <span>

#include "data/images/image.h"

namespace umbra {

/// An image of the bytes of a JPEG file. Throws Error as decode_image() does.
Image decode_jpeg(std::span<const std::uint8_t> bytes, const BeforePixels& before);
/// The same for PNG.
Image decode_png(std::span<const std::uint8_t> bytes, const BeforePixels& before);
/// Throws Error unless an image has at least one pixel and at most kMostPixels; then calls `before`, if it is not empty.
void check_pixels(std::int64_t width, std::int64_t height, const BeforePixels& before);

}  // namespace umbra
