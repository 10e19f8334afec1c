#include "data/images/frame.h"

#include <algorithm>
#include <cmath>

namespace umbra {
namespace {

// The image, or the part of it that is used.
struct Part {
  std::int64_t left = 0, top = 0, width = 0, height = 0;
};

// The weights of the pixels from `first` on.
struct Taps {
  std::int64_t first = 0;
  std::vector<double> weights;
};

std::vector<Taps> taps_of(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), reach = std::max(scale, 1.0);
  std::vector<Taps> all;
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    Taps taps;
    taps.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - reach)));
    const std::int64_t end = std::min(from, static_cast<std::int64_t>(std::ceil(centre + reach)));
    double sum = 0;
    for (std::int64_t k = taps.first; k < end; ++k) {
      taps.weights.push_back(std::max(0.0, 1 - std::abs((static_cast<double>(k) + 0.5 - centre) / reach)));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
    all.push_back(std::move(taps));
  }
  return all;
}

// The numbers of one channel of the part.
class Channel {
 public:
  Channel(const Image& image, const Part& part, std::int64_t channel, bool as_grey)
      : first_(image.pixels.data() + (part.top * image.width + part.left) * image.channels),
        row_(image.width * image.channels),
        pixel_(image.channels),
        channel_(channel),
        as_grey_(as_grey) {}
  float at(std::int64_t y, std::int64_t x) const {
    const std::uint8_t* pixel = first_ + y * row_ + x * pixel_;
    const auto of = [&](std::int64_t k) { return static_cast<float>(pixel[k]); };
    return as_grey_ ? 0.299F * of(0) + 0.587F * of(1) + 0.114F * of(2) : of(channel_);
  }

 private:
  const std::uint8_t* first_;
  std::int64_t row_, pixel_, channel_;
  bool as_grey_;
};

// numbers(row, column) -> [columns, taps] along the rows: two calls resize both axes. The image itself is never in memory
// as floats.
template <class Numbers>
std::vector<float> resized(std::int64_t columns, const std::vector<Taps>& taps, const Numbers& numbers) {
  std::vector<float> result(taps.size() * static_cast<std::size_t>(columns));
  for (std::size_t i = 0; i < taps.size(); ++i) {
    for (std::int64_t x = 0; x < columns; ++x) {
      double sum = 0;
      for (std::size_t k = 0; k < taps[i].weights.size(); ++k)
        sum += taps[i].weights[k] *
               static_cast<double>(numbers(taps[i].first + static_cast<std::int64_t>(k), x));
      result[static_cast<std::size_t>(x) * taps.size() + i] = static_cast<float>(sum);
    }
  }
  return result;
}

std::uint8_t rounded(float number) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(number + 0.5F), 0.0F, 255.0F));
}

// [height, width] of the frame.
void resize(const Channel& channel, const Part& part, const ImageFrame& frame, std::uint8_t* to) {
  const std::vector<float> narrow =  // [width of the part, height of the frame]
      resized(part.width, taps_of(part.height, frame.height),
              [&](std::int64_t y, std::int64_t x) { return channel.at(y, x); });
  const std::vector<float> numbers = resized(
      frame.height, taps_of(part.width, frame.width),
      [&](std::int64_t x, std::int64_t y) { return narrow[static_cast<std::size_t>(x * frame.height + y)]; });
  std::transform(numbers.begin(), numbers.end(), to, rounded);
}

Part part_of(const Image& image, const ImageFrame& frame) {
  if (frame.crop == 0 && !frame.resizes) return {0, 0, image.width, image.height};
  const std::int64_t side = frame.crop > 0 ? frame.crop : std::min(image.width, image.height);
  if (side > std::min(image.width, image.height))
    throw OtherSize(concat("it has ", image.width, " x ", image.height,
                           " pixels, but data.image_crop=", frame.crop, " a side are to be cut out"));
  return {(image.width - side) / 2, (image.height - side) / 2, side, side};
}

}  // namespace

void write_sample(const Image& image, const ImageFrame& frame, std::span<std::uint8_t> sample) {
  const Part part = part_of(image, frame);
  const bool same = part.width == frame.width && part.height == frame.height;
  if (!same && !frame.resizes)
    throw OtherSize(concat("it has ", part.width, " x ", part.height, " pixels, but the first image has ",
                           frame.width, " x ", frame.height,
                           frame.of_run ? "; the run was trained without data.image_size, which brings all "
                                          "images to one size"
                                        : "; data.image_size brings all images to one size"));
  const bool as_grey = frame.channels == 1 && image.channels == 3;
  for (std::int64_t channel = 0; channel < frame.channels; ++channel) {
    const std::int64_t source = image.channels == 1 ? 0 : channel;
    const Channel numbers(image, part, source, as_grey);
    std::uint8_t* to = sample.data() + channel * frame.height * frame.width;
    if (!same) {
      resize(numbers, part, frame, to);
      continue;
    }
    for (std::int64_t y = 0; y < part.height; ++y)
      for (std::int64_t x = 0; x < part.width; ++x) *to++ = rounded(numbers.at(y, x));
  }
}

}  // namespace umbra
