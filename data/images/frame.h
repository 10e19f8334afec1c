// Images of any size as samples of one shape: cut to their central square, resized, in grey or in colour.
#pragma once

#include "data/images/image.h"
#include "engine/base/error.h"

namespace umbra {

/// The shape of all samples of a set of images.
struct ImageFrame {
  std::int64_t width = 0,  ///< pixels of a sample
      height = 0,          ///< pixels of a sample
      channels = 0,        ///< 1 or 3
      crop = 0;            ///< side of the central square that is cut out first, in pixels; 0: no cut
  bool resizes = false;    ///< whether the cut is resized; without it, images must have the size of a sample
  bool of_run = false;     ///< whether a run chose the frame, which its user cannot change any more

  /// Numbers of a sample.
  std::int64_t count() const { return channels * height * width; }
};

/// An image that is intact but has another size than the first one.
class OtherSize final : public Error {
 public:
  using Error::Error;
};

/// Writes `image` to `sample`, [channels, height, width]. Resizing weights pixels by a triangle as wide as two
/// pixels of the coarser grid: linear interpolation for a finer one, an average without aliasing for a coarser one. Grey is
/// 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). Throws OtherSize when the image is smaller than `crop`,
/// or has another size and is not resized.
void write_sample(const Image& image, const ImageFrame& frame, std::span<std::uint8_t> sample);

}  // namespace umbra
