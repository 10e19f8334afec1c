// Samples of a BoxSet, plain or transformed. A transformed sample is a window that is shifted by whole
// voxels relative to its sub-box and transformed by one of the 48 symmetries of the cube. The window reads
// directly from the up to eight sub-boxes it touches, without intermediate copies.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "data/boxes/boxes.h"
#include "data/boxes/label.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

using Axes = std::array<int, 3>;

constexpr std::array<Axes, 6> kAxisOrders = {
    {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};

// The draws of one sample, each with its own index in the sample's stream.
enum Draw : std::uint64_t { kSymmetry = 0, kShift = 1 /* to 3 */, kSide = 4, kAxisOrder = 5 };

// The cube of a sub-box and its coordinates in the cube.
struct Coordinates {
  std::int64_t cube;
  Axes c;
};

Coordinates coordinates(std::int64_t box, int per_side) {
  Coordinates out{box, {}};
  for (int axis = 2; axis >= 0; --axis) {
    out.c[static_cast<std::size_t>(axis)] = static_cast<int>(out.cube % per_side);
    out.cube /= per_side;
  }
  return out;
}

// The eight sub-boxes a window may touch: bit `axis` of k selects the neighbour on the side of the shift.
std::array<std::int64_t, 8> touched(std::int64_t box, int per_side, const Axes& shift) {
  const Coordinates at = coordinates(box, per_side);
  std::array<std::int64_t, 8> boxes{};
  for (std::size_t k = 0; k < 8; ++k) {
    boxes[k] = at.cube;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const int side = shift[axis] > 0 ? 1 : shift[axis] < 0 ? -1 : 0;
      const int step = (k >> axis & 1) != 0 ? side : 0;
      boxes[k] = boxes[k] * per_side + (at.c[axis] + step + per_side) % per_side;
    }
  }
  return boxes;
}

// Restricts a drawn shift to axes, tried in a drawn order, such that the window only touches members.
Axes allowed_shift(const Axes& drawn, const Axes& order, std::int64_t box, int per_side,
                   const std::vector<char>& member) {
  Axes shift = {0, 0, 0};
  for (const int a : order) {
    const auto axis = static_cast<std::size_t>(a);
    shift[axis] = drawn[axis];
    const auto boxes = touched(box, per_side, shift);
    if (!std::all_of(boxes.begin(), boxes.end(),
                     [&](std::int64_t b) { return member[static_cast<std::size_t>(b)]; }))
      shift[axis] = 0;
  }
  return shift;
}

BoxWindow draw(const Augmentation* augmentation, const Rng* rng, std::int64_t box, const BoxSet& boxes,
               const std::vector<char>& member) {
  BoxWindow window{{}, {0, 1, 2}, {0, 0, 0}, {0, 0, 0}};
  if (augmentation != nullptr && augmentation->symmetries) {
    const std::uint64_t element = rng->below(kSymmetry, 48);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      window.axis[axis] = kAxisOrders[element / 8][axis];
      window.flip[axis] = static_cast<int>(element >> axis & 1);
    }
  }
  Axes shift{};
  if (augmentation != nullptr && augmentation->shifts) {
    const std::uint64_t sides = rng->below(kSide, 8);
    Axes drawn{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const int size =
          static_cast<int>(rng->below(kShift + axis, static_cast<std::uint64_t>(boxes.options.voxels)));
      drawn[axis] = (sides >> axis & 1) != 0 ? -size : size;
    }
    shift = allowed_shift(drawn, kAxisOrders[rng->below(kAxisOrder, 6)], box, boxes.per_side, member);
  }
  std::copy(shift.begin(), shift.end(), window.shift);
  const auto sources = touched(box, boxes.per_side, shift);
  std::copy(sources.begin(), sources.end(), window.source);
  return window;
}

// Whether a voxel of the touched sub-box k (see `touched`) lies inside the window.
bool inside(const BoxSet::Galaxy& galaxy, std::size_t k, const Axes& shift, int voxels) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int side = shift[axis] > 0 ? voxels : -voxels;
    const int at = galaxy.voxel[axis] + ((k >> axis & 1) != 0 ? side : 0) - shift[axis];
    if (at < 0 || at >= voxels) return false;
  }
  return true;
}

// Counts the galaxies of the shifted window.
void recount(const BoxSet& set, std::int64_t box, const Axes& shift, std::span<float> target) {
  const auto boxes = touched(box, set.per_side, shift);
  std::vector<std::int64_t> counts(target.size(), 0);
  for (std::size_t k = 0; k < 8; ++k) {
    bool exists = true;  // without a shift along an axis there is no neighbour on that side
    for (std::size_t axis = 0; axis < 3; ++axis)
      exists = exists && !((k >> axis & 1) != 0 && shift[axis] == 0);
    if (!exists) continue;
    const auto b = static_cast<std::size_t>(boxes[k]);
    for (std::int64_t i = set.galaxy_begin[b]; i < set.galaxy_begin[b + 1]; ++i) {
      const BoxSet::Galaxy& galaxy = set.galaxies[static_cast<std::size_t>(i)];
      if (inside(galaxy, k, shift, set.options.voxels)) ++counts[galaxy.bin];
    }
  }
  for (std::size_t bin = 0; bin < target.size(); ++bin) target[bin] = smf_label(counts[bin], set.options);
}

}  // namespace

BoxDataset::BoxDataset(const BoxSet& boxes, std::vector<std::int64_t> indices, Augmentation augmentation)
    : boxes_(boxes),
      indices_(std::move(indices)),
      member_(static_cast<std::size_t>(boxes.count), 0),
      augmentation_(augmentation),
      array_{boxes.input, boxes.count, static_cast<std::int64_t>(boxes.options.channels()),
             boxes.options.voxels} {
  for (const std::int64_t index : indices_) {
    require(index >= 0 && index < boxes.count, "sub-box ", index, " does not exist; there are ", boxes.count);
    member_[static_cast<std::size_t>(index)] = 1;
  }
}

std::int64_t BoxDataset::size() const {
  return static_cast<std::int64_t>(indices_.size());
}

Shape BoxDataset::input_shape() const {
  const std::int64_t v = boxes_.options.voxels;
  return {static_cast<std::int64_t>(boxes_.options.channels()), v, v, v};
}

Shape BoxDataset::target_shape() const {
  return {boxes_.options.smf_bins};
}

std::span<const std::int64_t> BoxDataset::indices() const {
  return indices_;
}

BoxWindow BoxDataset::window(std::int64_t index, const Rng* augmentation, std::span<float> target) const {
  require(index >= 0 && index < size(), "sample ", index, " does not exist; there are ", size());
  require(static_cast<std::int64_t>(target.size()) == target_shape().count(), "a label needs ",
          target_shape().count(), " numbers, the buffer holds ", target.size());
  const std::int64_t box = indices_[static_cast<std::size_t>(index)];
  const BoxWindow window =
      draw(augmentation != nullptr ? &augmentation_ : nullptr, augmentation, box, boxes_, member_);
  const Axes shift = {window.shift[0], window.shift[1], window.shift[2]};

  // Neither a symmetry nor a shift of a periodic sub-box changes its galaxies.
  const bool moved = boxes_.per_side > 1 && shift != Axes{0, 0, 0};
  if (boxes_.smf.empty()) {
    std::fill(target.begin(), target.end(),
              std::numeric_limits<float>::quiet_NaN());  // there is no label
  } else if (moved) {
    recount(boxes_, box, shift, target);
  } else {
    const auto label =
        std::span(boxes_.smf).subspan(static_cast<std::size_t>(box) * target.size(), target.size());
    std::copy(label.begin(), label.end(), target.begin());
  }
  return window;
}

void BoxDataset::read(std::int64_t index, const Rng* augmentation, std::span<float> input,
                      std::span<float> target) const {
  require(static_cast<std::int64_t>(input.size()) == input_shape().count(), "a sample needs ",
          input_shape().text(), " numbers, the buffer holds ", input.size());
  const BoxWindow seen = window(index, augmentation, target);
  const std::int32_t v = boxes_.options.voxels;
  const auto volume = static_cast<std::size_t>(std::int64_t{v} * v * v);
  const std::size_t features = boxes_.options.channels();
  for (std::size_t i = 0; i < volume; ++i) {
    const auto at = static_cast<std::int32_t>(i);
    const BoxWindowStep x = box_window_step(seen, v, 0, at / (v * v));
    const BoxWindowStep y = box_window_step(seen, v, 1, at / v % v);
    const BoxWindowStep z = box_window_step(seen, v, 2, at % v);
    const auto box = static_cast<std::size_t>(seen.source[x.bit | y.bit | z.bit]);
    const auto from = box * features * volume + static_cast<std::size_t>(x.offset + y.offset + z.offset);
    for (std::size_t f = 0; f < features; ++f) input[f * volume + i] = boxes_.input[from + f * volume];
  }
}

}  // namespace umbra
