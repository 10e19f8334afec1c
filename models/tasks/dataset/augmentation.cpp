#include "models/tasks/dataset/augmentation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/listed.h"

namespace umbra {
namespace {

struct Plane {
  std::int64_t height, width;
  float at(const float* image, std::int64_t y, std::int64_t x) const { return image[y * width + x]; }
};

// A position within [-1/2, extent - 1/2], from which the image is continued by reflections at its edges.
double reflected(double position, std::int64_t extent) {
  const auto n = static_cast<double>(extent);
  double from_edge = std::fmod(std::abs(position + 0.5), 2 * n);
  if (from_edge > n) from_edge = 2 * n - from_edge;
  return std::clamp(from_edge - 0.5, 0.0, n - 1);
}

float interpolated(const Plane& plane, const float* image, double y, double x) {
  y = reflected(y, plane.height);
  x = reflected(x, plane.width);
  const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
  const std::int64_t bottom = std::min(top + 1, plane.height - 1),
                     right = std::min(left + 1, plane.width - 1);
  const auto down = static_cast<float>(y - static_cast<double>(top)),
             across = static_cast<float>(x - static_cast<double>(left));
  const float above = (1 - across) * plane.at(image, top, left) + across * plane.at(image, top, right);
  const float below = (1 - across) * plane.at(image, bottom, left) + across * plane.at(image, bottom, right);
  return (1 - down) * above + down * below;
}

// out(y, x) = in(source of it), for all channels.
template <class Value>
void replace(const Shape& shape, std::span<float> image, const Value& value) {
  thread_local std::vector<float> before;
  before.assign(image.begin(), image.end());
  const Plane plane{shape[1], shape[2]};
  for (std::int64_t channel = 0; channel < shape[0]; ++channel) {
    const float* from = before.data() + channel * plane.height * plane.width;
    float* to = image.data() + channel * plane.height * plane.width;
    for (std::int64_t y = 0; y < plane.height; ++y)
      for (std::int64_t x = 0; x < plane.width; ++x) *to++ = value(plane, from, y, x);
  }
}

void turn(const Shape& shape, int turns, std::span<float> image) {
  const std::int64_t last = shape[1] - 1;
  replace(shape, image, [&](const Plane& plane, const float* from, std::int64_t y, std::int64_t x) {
    if (turns == 1) return plane.at(from, x, last - y);
    if (turns == 2) return plane.at(from, last - y, last - x);
    return plane.at(from, last - x, y);
  });
}

void move(const Shape& shape, const ImageTransform& how, std::span<float> image) {
  const double middle_y = static_cast<double>(shape[1] - 1) / 2,
               middle_x = static_cast<double>(shape[2] - 1) / 2;
  const double cosine = std::cos(how.angle) / how.zoom, sine = std::sin(how.angle) / how.zoom;
  replace(shape, image, [&](const Plane& plane, const float* from, std::int64_t y, std::int64_t x) {
    const double v = static_cast<double>(y) - middle_y - how.down,
                 u = static_cast<double>(x) - middle_x - how.right;
    return interpolated(plane, from, middle_y + cosine * v + sine * u, middle_x + cosine * u - sine * v);
  });
}

using Pair = std::pair<std::int64_t, std::int64_t>;

template <class Value>
std::int64_t place_in(const std::vector<Value>& values, const Value& value) {
  const auto found = std::find(values.begin(), values.end(), value);
  return found == values.end() ? -1 : found - values.begin();
}

// What a word means; -1 if it means nothing.
std::int64_t place_of(const std::string& word, const MirrorNames& called, bool by_number) {
  if (!by_number) return place_in(called.names, word);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool is_number = error == std::errc() && end == word.data() + word.size();
  return is_number ? place_in(called.numbers, number) : -1;
}

// All pairs if all their words are names, or all are numbers. A name may contain colons.
std::optional<std::vector<Pair>> read_pairs(const std::vector<std::string>& texts, const MirrorNames& called,
                                            bool by_number) {
  std::vector<Pair> pairs;
  for (const std::string& text : texts) {
    Pair pair{-1, -1};
    for (std::size_t colon = text.find(':');
         colon != std::string::npos && (pair.first < 0 || pair.second < 0); colon = text.find(':', colon + 1))
      pair = {place_of(text.substr(0, colon), called, by_number),
              place_of(text.substr(colon + 1), called, by_number)};
    if (pair.first < 0 || pair.second < 0) return std::nullopt;
    pairs.push_back(pair);
  }
  return pairs;
}

// Why pairs cannot be read.
[[noreturn]] void fail_at_pairs(const std::vector<std::string>& texts, const MirrorNames& called,
                                const std::string& where) {
  std::string expected = called.names.empty() ? "" : concat("there are ", listed(called.names, "and"));
  const bool are_names = !called.names.empty() && !called.numbers.empty() &&
                         called.names[0] == std::to_string(called.numbers[0]);
  if (!called.numbers.empty() && !are_names) {
    const auto [least, most] = std::minmax_element(called.numbers.begin(), called.numbers.end());
    expected += concat(expected.empty() ? "numbers" : ", or their numbers", " from ", *least, " to ", *most);
  }
  for (const std::string& text : texts) {
    const std::size_t colon = text.find(':');
    require(colon != std::string::npos, where, ": data.mirrored: '", text,
            "' is no pair; two classes or values with a colon between them are expected");
    for (const std::string& word : {text.substr(0, colon), text.substr(colon + 1)})
      require(place_of(word, called, false) >= 0 || place_of(word, called, true) >= 0, where,
              ": data.mirrored: there is no '", word, "'; ", expected);
  }
  fail(where, ": data.mirrored mixes names and numbers; ", expected);
}

}  // namespace

std::vector<Setting> AugmentationOptions::bind() {
  return {
      {"data.flips", "augment images by flipping them left to right at random", &flips},
      {"data.mirrored",
       "pairs of classes (or values) that a flip exchanges, all by name or all by number, e.g. [left:right]: the mirror image of "
       "one is the other",
       &mirrored},
      {"data.turns", "augment square images by turning them by 0, 90, 180 or 270 degrees at random", &turns},
      {"data.rotation", "augment images by rotating them by a random angle of at most this, degrees",
       &rotation, 0, 180},
      {"data.zoom", "augment images by a random factor from 1 - zoom to 1 / (1 - zoom)", &zoom, 0, 0.9},
      {"data.shift", "augment images by shifting them by at most this along each axis, pixels", &shift, 0,
       4096},
  };
}

void AugmentationOptions::check() const {
  require(mirrored.empty() || flips, "data.mirrored says what a flip exchanges; it needs data.flips=true");
}

void AugmentationOptions::check(const Shape& image, const std::string& where) const {
  require(!any() || image.rank() == 3, where, flips ? ": data.flips=true needs" : ": augmentation needs",
          " images, samples of shape [channels, height, width], but these are ", image);
  require(!turns || image[1] == image[2], where, ": data.turns=true needs square images, but these are ",
          image);
}

ImageTransform draw(const AugmentationOptions& options, const Rng& rng, std::uint64_t first) {
  ImageTransform how;
  how.flip = options.flips && rng.uniform(first) < 0.5;
  if (options.turns) how.turns = static_cast<int>(rng.below(first + 1, 4));
  how.angle = options.rotation * (std::numbers::pi / 180) * (2 * rng.uniform(first + 2) - 1);
  how.zoom = std::pow(1 - options.zoom, 2 * rng.uniform(first + 3) - 1);
  const auto pixels = [&](std::uint64_t number) {
    const auto choices = static_cast<std::uint64_t>(2 * options.shift + 1);
    return static_cast<double>(static_cast<std::int64_t>(rng.below(number, choices)) - options.shift);
  };
  how.right = pixels(first + 4);
  how.down = pixels(first + 5);
  return how;
}

void transform(const ImageTransform& how, const Shape& shape, std::span<float> image) {
  if (how.flip) {
    const std::int64_t width = shape[2];
    for (auto line = image.begin(); line != image.end(); line += width) std::reverse(line, line + width);
  }
  if (how.turns != 0) turn(shape, how.turns, image);
  if (how.angle != 0 || how.zoom != 1 || how.right != 0 || how.down != 0) move(shape, how, image);
}

std::vector<std::int64_t> mirror_of(const std::vector<std::string>& texts, const MirrorNames& called,
                                    const std::string& where) {
  std::optional<std::vector<Pair>> pairs = read_pairs(texts, called, false);
  if (!pairs) pairs = read_pairs(texts, called, true);
  if (!pairs) fail_at_pairs(texts, called, where);
  std::vector<std::int64_t> mirror(static_cast<std::size_t>(called.count));
  std::iota(mirror.begin(), mirror.end(), 0);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto [one, other] = (*pairs)[i];
    std::int64_t &of_one = mirror[static_cast<std::size_t>(one)],
                 &of_other = mirror[static_cast<std::size_t>(other)];
    require(one != other && of_one == one && of_other == other, where, ": data.mirrored: '", texts[i],
            "': every class or value can have one other as its mirror image");
    of_one = other;
    of_other = one;
  }
  return mirror;
}

}  // namespace umbra
