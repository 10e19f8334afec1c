#include "data/images/frame.h"

#include <algorithm>
#include <cmath>

namespace umbra {
namespace {

// The picture, or the part of it that is used.
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

// One channel of the part: [height, width].
std::vector<float> channel_of(const Image& image, const Part& part, std::int64_t channel, bool as_grey) {
  std::vector<float> numbers;
  numbers.reserve(static_cast<std::size_t>(part.width * part.height));
  for (std::int64_t y = part.top; y < part.top + part.height; ++y) {
    const std::uint8_t* pixel = image.pixels.data() + (y * image.width + part.left) * image.channels;
    for (std::int64_t x = 0; x < part.width; ++x, pixel += image.channels) {
      const auto of = [&](std::int64_t k) { return static_cast<float>(pixel[k]); };
      numbers.push_back(as_grey ? 0.299F * of(0) + 0.587F * of(1) + 0.114F * of(2) : of(channel));
    }
  }
  return numbers;
}

// [rows, columns] -> [taps, columns] along the rows, and transposed: two calls resize both axes.
std::vector<float> resized(const std::vector<float>& numbers, std::int64_t columns,
                           const std::vector<Taps>& taps) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<float> result(taps.size() * width);
  for (std::size_t i = 0; i < taps.size(); ++i) {
    for (std::size_t x = 0; x < width; ++x) {
      double sum = 0;
      for (std::size_t k = 0; k < taps[i].weights.size(); ++k)
        sum += taps[i].weights[k] *
               static_cast<double>(numbers[(static_cast<std::size_t>(taps[i].first) + k) * width + x]);
      result[x * taps.size() + i] = static_cast<float>(sum);
    }
  }
  return result;
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
    throw OtherSize(concat("it has ", part.width, " x ", part.height, " pixels, but those before it have ",
                           frame.width, " x ", frame.height,
                           "; data.image_size brings all pictures to one size"));
  const bool as_grey = frame.channels == 1 && image.channels == 3;
  for (std::int64_t channel = 0; channel < frame.channels; ++channel) {
    const std::int64_t source = image.channels == 1 ? 0 : channel;
    std::vector<float> numbers = channel_of(image, part, source, as_grey);
    if (!same) {
      numbers = resized(numbers, part.width, taps_of(part.height, frame.height));  // [width, new height]
      numbers = resized(numbers, frame.height, taps_of(part.width, frame.width));  // [new height, new width]
    }
    std::uint8_t* to = sample.data() + channel * frame.height * frame.width;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      to[i] = static_cast<std::uint8_t>(std::clamp(std::floor(numbers[i] + 0.5F), 0.0F, 255.0F));
  }
}

}  // namespace umbra
