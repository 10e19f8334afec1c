// Augmentation of images: flips, quarter turns, rotations, zooms and shifts, drawn from the random stream of a sample in
// an epoch. What a flip does to a label: the mirror image of a clockwise spiral is an anticlockwise one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/base/philox.h"
#include "engine/base/setting.h"
#include "engine/base/shape.h"

namespace umbra {

/// What may be done to a training image; bind() gives the keys of the settings.
struct AugmentationOptions {
  bool flips = false;      ///< left to right, with probability 1/2
  bool turns = false;      ///< by 0, 90, 180 or 270 degrees, equally likely
  double rotation = 0;     ///< by an angle of at most this, in degrees
  double zoom = 0;         ///< by a factor from 1 - zoom to 1 / (1 - zoom), its logarithm uniform
  std::int64_t shift = 0;  ///< by whole pixels, at most this many along each axis
  std::vector<std::string>
      mirrored;  ///< pairs of classes or values that a flip exchanges, "1:2" or "left:right"

  /// The settings, bound to this object.
  std::vector<Setting> bind();
  /// Whether an image may change.
  bool any() const { return flips || turns || rotation > 0 || zoom > 0 || shift > 0; }
  /// Throws Error when the options contradict one another.
  void check() const;
  /// Throws Error, which begins with `where`, unless images of this shape, [channels, height, width], can be augmented.
  void check(const Shape& image, const std::string& where) const;
};

/// One transformation: first the flip, then the turns, then everything else at once.
struct ImageTransform {
  bool flip = false;  ///< left to right
  int turns = 0;      ///< by 90 degrees, anticlockwise
  double angle = 0,   ///< radians, anticlockwise
      zoom = 1,       ///< factor
      right = 0,      ///< shift, pixels
      down = 0;       ///< shift, pixels
};

/// The transformation that a random stream gives, with its draws from number `first` on.
ImageTransform draw(const AugmentationOptions& options, const Rng& rng, std::uint64_t first);
/// Transforms an image of this shape, [channels, height, width]. Between pixels it interpolates linearly; beyond its
/// edges the image is reflected. Turns by 90 degrees need a square image.
void transform(const ImageTransform& how, const Shape& shape, std::span<float> image);

/// How data.mirrored may call the classes or values.
struct MirrorNames {
  std::int64_t count = 0;             ///< of classes or values
  std::vector<std::string> names;     ///< [count], or none
  std::vector<std::int64_t> numbers;  ///< [count], or none if they have only names
};

/// What a flip exchanges, as an index for every class or value. The words of `pairs` are all names or, if they are not,
/// all numbers. Throws Error, which begins with `where`, for a pair that cannot be read or does not exist.
std::vector<std::int64_t> mirror_of(const std::vector<std::string>& pairs, const MirrorNames& called,
                                    const std::string& where);

}  // namespace umbra
