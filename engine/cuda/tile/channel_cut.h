// How a grid walks the view [outer, C, inner] channel by channel, with neighbouring threads at neighbouring
// addresses. If inner > 1, a block has one channel and its threads run along inner, four elements at a time
// if 4 divides inner. If inner = 1 (rows [N, C]), a block has 32 channels, one per lane, and its warps run
// along outer.
//
// In both cases a channel may be cut into ranges ("splits"), one block each. The elements that a thread
// visits, and their order, depend on the problem alone, not on the alignment of a buffer or on the card, so
// sums are bit-identical everywhere. Plain functions, so that a test on the host can check that every element
// is visited once (tests/cuda/channel_cut_test.cpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace umbra {

/// The position of a thread. A unit is ChannelCut::width neighbouring elements.
struct ChannelWalk {
  std::int64_t at;     // flat index of the unit's first element
  unsigned unit, end;  // this unit's number in the channel, and the end of this block's range
  unsigned column;     // this unit's number in its row of `inner` elements
  constexpr bool more() const { return unit < end; }
};

struct ChannelCut {
  /// For blocks of `threads` threads (a multiple of 32). A block visits about `elements` elements, or more if
  /// a channel would otherwise have more than `most_splits` splits.
  ChannelCut(std::int64_t outer, std::int64_t channels_, std::int64_t inner_, unsigned threads_,
             std::int64_t elements, std::int64_t most_splits)
      : channels(channels_), inner(inner_), threads(threads_) {
    if (channels == 1) inner *= std::exchange(outer, 1);  // the same memory, as one long row
    lanes = inner == 1 ? 32 : 1;
    width = inner % 4 == 0 ? 4 : 1;
    row = static_cast<unsigned>(std::max<std::int64_t>(1, inner / width));
    units = static_cast<unsigned>(outer * inner / width);
    const std::int64_t wanted = elements / (width * lanes), least = (units + most_splits - 1) / most_splits;
    per_split = std::max(1u, static_cast<unsigned>(std::min<std::int64_t>(std::max(wanted, least), units)));
    splits = std::max(1u, (units + per_split - 1) / per_split);
    step = threads / lanes;
    step_column = step % row;
    outer_stride = channels * inner;
    step_at = (step / row) * outer_stride + step_column * width;
  }
  /// One block per channel (or per 32 channels), whatever their size.
  static ChannelCut whole(std::int64_t outer, std::int64_t channels, std::int64_t inner, unsigned threads) {
    return {outer, channels, inner, threads, outer * inner * 32, 1};
  }
  /// Why a channel is too large for these counts; empty if it is not.
  static std::string declines(std::int64_t outer, std::int64_t inner) {
    return outer * inner < std::int64_t{1} << 31 ? "" : "it supports fewer than 2^31 values per channel";
  }

  /// Blocks for all channels, without the splits.
  constexpr unsigned blocks() const { return static_cast<unsigned>((channels + lanes - 1) / lanes); }
  /// How many numbers of scratch memory a block needs to sum over the threads of a channel.
  constexpr unsigned scratch() const { return lanes == 1 ? threads / 32 : threads; }
  constexpr std::int64_t channel(unsigned thread, unsigned block) const {
    return static_cast<std::int64_t>(block) * lanes + thread % lanes;
  }
  /// Elements of a channel in one split.
  constexpr unsigned split_elements(unsigned split) const {
    return (std::min(units, (split + 1) * per_split) - split * per_split) * width;
  }
  /// The first unit of a thread; more() is false if the channel does not exist.
  constexpr ChannelWalk walk(unsigned thread, unsigned block, unsigned split) const {
    const std::int64_t c = channel(thread, block);
    const unsigned unit = split * per_split + thread / lanes, column = unit % row;
    const unsigned end = c < channels ? std::min(units, (split + 1) * per_split) : 0;
    return {unit / row * outer_stride + c * inner + column * width, unit, end, column};
  }
  constexpr void next(ChannelWalk& walk) const {
    walk.unit += step;
    walk.column += step_column;
    walk.at += step_at;
    if (walk.column >= row) {
      walk.column -= row;
      walk.at += outer_stride - static_cast<std::int64_t>(row) * width;
    }
  }

  std::int64_t channels, inner;
  std::int64_t outer_stride,
      step_at;  // elements from one outer position to the next, and from unit to unit of a thread
  unsigned threads, lanes, width;
  unsigned row, units;  // units per row of inner elements and per channel
  unsigned per_split, splits;
  unsigned step, step_column;  // units from one of a thread to its next, and the same within the row
};

}  // namespace umbra
