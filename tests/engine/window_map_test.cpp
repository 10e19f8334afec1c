// The arithmetic of the kernels' index maps against the lists of engine/ops/conv/taps.h, on many odd
// geometries.
#include "engine/cuda/tile/window_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/base/philox.h"
#include "engine/ops/conv/cuda_conv_map.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/conv/taps.h"

namespace umbra {
namespace {

std::vector<ConvGeometry> geometries() {
  std::vector<ConvGeometry> list = nasty_convolutions();
  for (const ConvGeometry& g : um_resnet_convolutions(2, 3)) list.push_back(g);
  for (std::uint64_t seed = 0; list.size() < 600; ++seed) {
    const Rng rng(2018, Purpose::kTest, seed);
    ConvGeometry g;
    for (std::size_t a = 0; a < 3; ++a) {
      const auto draw = [&](std::uint64_t what, std::uint64_t below) {
        return static_cast<std::int64_t>(rng.below(4 * a + what, below));
      };
      g.in[a] = 1 + draw(0, 6);
      g.kernel[a] = 1 + draw(1, a == 2 ? 16 : 5);
      g.stride[a] = 1 + draw(2, 4);
      g.padding[a] = draw(3, 6);
    }
    const bool some = g.in[0] + 2 * g.padding[0] >= g.kernel[0] &&
                      g.in[1] + 2 * g.padding[1] >= g.kernel[1] && g.in[2] + 2 * g.padding[2] >= g.kernel[2];
    if (some && g.out_volume() * g.taps() < 100'000) list.push_back(g);
  }
  return list;
}

struct Lists {
  std::vector<std::int32_t> slots, begin;
  std::vector<TapEntry> entries;
  Lists(const ConvGeometry& g, TapOrder order)
      : slots(static_cast<std::size_t>(g.taps())),
        begin(static_cast<std::size_t>(tap_list_count(g, order)) + 1),
        entries(static_cast<std::size_t>(g.live_pairs())) {
    write_live_tap_lists(g, order, slots, begin, entries);
  }
  std::vector<std::pair<int, int>> list(int l) const {
    std::vector<std::pair<int, int>> pairs;
    for (auto e = begin[static_cast<std::size_t>(l)]; e < begin[static_cast<std::size_t>(l) + 1]; ++e) {
      const TapEntry& entry = entries[static_cast<std::size_t>(e)];
      pairs.emplace_back(entry.first, entry.second);
    }
    return pairs;
  }
};

/// The taps of a box in order, by walking it from its `start`-th.
std::vector<Place> walk(const TapBox& box, int start) {
  std::vector<Place> taps;
  if (box.count() <= start) return taps;
  Place tap = box.at(start);
  for (int n = start; n < box.count(); ++n, tap = box.after(tap)) taps.push_back(tap);
  EXPECT_EQ(tap.d, kMostAxisTaps);
  return taps;
}

TEST(WindowMap, SetsOfTaps) {
  for (TapSet set = 0; set < 1u << kMostAxisTaps; set += set < 4096 ? 1 : 13) {
    int size = 0;
    for (int t = 0; t < kMostAxisTaps; ++t) {
      ASSERT_EQ(rank_in_set(set, t), size);
      if ((set >> t & 1u) == 0) continue;
      ASSERT_EQ(tap_of_rank(set, size), t);
      ++size;
    }
    ASSERT_EQ(size_of_set(set), size);
  }
}

TEST(WindowMap, LiveTapsAreThoseInMemory) {
  for (const ConvGeometry& g : geometries()) {
    const WindowMap map = conv_map(g);
    std::vector<std::int32_t> taps;
    int slot = 0;
    if (map.live().count() > 0) {
      for (const Place& t : walk(map.live(), 0)) {
        taps.push_back(static_cast<std::int32_t>((t.d * g.kernel[1] + t.h) * g.kernel[2] + t.w));
        ASSERT_EQ(map.slot_of(t), slot++) << g;
      }
    }
    ASSERT_EQ(taps, g.live_tap_list()) << g;
  }
}

TEST(WindowMap, PairsOfAPositionAreThoseOfTheLists) {
  for (const ConvGeometry& g : geometries()) {
    const WindowMap map = conv_map(g);
    ASSERT_EQ(map.inputs(), g.in_volume());
    ASSERT_EQ(map.outputs(), g.out_volume());
    for (const bool by_output : {true, false}) {
      const Lists lists(g, by_output ? TapOrder::kByOutput : TapOrder::kByInput);
      for (int p = 0; p < (by_output ? map.outputs() : map.inputs()); ++p) {
        const Place place = by_output ? map.output_place(p) : map.input_place(p);
        const Box box{{place.d, place.d}, {place.h, place.h}, {place.w, place.w}};
        std::vector<std::pair<int, int>> pairs;
        for (const Place& t : walk(by_output ? map.taps_of_outputs(box) : map.taps_of_inputs(box), 0)) {
          const int partner = by_output ? map.input_of(place, t) : map.output_of(place, t);
          ASSERT_GE(partner, 0) << g;
          pairs.emplace_back(map.slot_of(t), partner);
        }
        ASSERT_EQ(pairs, lists.list(p)) << g << (by_output ? " output " : " input ") << p;
        for (const Place& t : walk(map.live(), 0)) {  // and no others
          const int partner = by_output ? map.input_of(place, t) : map.output_of(place, t);
          const bool listed = std::any_of(pairs.begin(), pairs.end(),
                                          [&](const auto& pair) { return pair.first == map.slot_of(t); });
          ASSERT_EQ(partner >= 0, listed) << g;
        }
      }
    }
  }
}

TEST(WindowMap, TapsOfARangeOfPositionsAreThoseOfItsBox) {
  for (const ConvGeometry& g : geometries()) {
    const WindowMap map = conv_map(g);
    for (const bool by_output : {true, false}) {
      const int count = by_output ? map.outputs() : map.inputs();
      for (int first = 0; first < count; first += 1 + count / 7) {
        for (int last = first; last < count; last += 1 + count / 5) {
          const auto place = [&](int p) { return by_output ? map.output_place(p) : map.input_place(p); };
          const Box box = box_around(place(first), place(last), by_output ? map.h.out : map.h.in,
                                     by_output ? map.w.out : map.w.in);
          const TapBox taps = by_output ? map.taps_of_outputs(box) : map.taps_of_inputs(box);
          std::vector<char> wanted(static_cast<std::size_t>(g.taps())), found = wanted;
          const auto at = [&](const Place& t) {
            return static_cast<std::size_t>((t.d * map.h.kernel + t.h) * map.w.kernel + t.w);
          };
          for (int b = 0; b < box.count(); ++b) {
            for (const Place& t : walk(map.live(), 0)) {
              if ((by_output ? map.input_of(box.at(b), t) : map.output_of(box.at(b), t)) >= 0)
                wanted[at(t)] = 1;
            }
          }
          for (const Place& t : walk(taps, 0)) found[at(t)] = 1;
          ASSERT_EQ(found, wanted) << g << ' ' << first << ".." << last;
          for (int p = first; p <= last; ++p) {
            const Place q = place(p);
            ASSERT_TRUE(box.d.has(q.d) && box.h.has(q.h) && box.w.has(q.w));
          }
          const std::vector<Place> all = walk(taps, 0), rest = walk(taps, taps.count() / 2);
          ASSERT_EQ(rest.size(), all.size() - static_cast<std::size_t>(taps.count() / 2));
        }
      }
    }
  }
}

TEST(WindowMap, OutputsOfTapsAreInTheirBox) {
  for (const ConvGeometry& g : geometries()) {
    const WindowMap map = conv_map(g);
    const std::vector<Place> live = walk(map.live(), 0);
    for (std::size_t first = 0; first < live.size(); first += 1 + live.size() / 6) {
      for (std::size_t last = first; last < live.size(); last += 1 + live.size() / 4) {
        const Box box = map.outputs_of_taps(live[first], live[last]);
        ASSERT_TRUE(box.d.first >= 0 && box.d.last < map.d.out && box.h.first >= 0 &&
                    box.h.last < map.h.out && box.w.first >= 0 && box.w.last < map.w.out)
            << g;
        for (std::size_t t = first; t <= last; ++t) {
          int pairs = 0;
          for (int b = 0; b < box.count(); ++b) pairs += map.input_of(box.at(b), live[t]) >= 0 ? 1 : 0;
          const Place tap = live[t];
          const int all = map.d.outputs_of_tap(tap.d).count() * map.h.outputs_of_tap(tap.h).count() *
                          map.w.outputs_of_tap(tap.w).count();
          ASSERT_EQ(pairs, all) << g;
          ASSERT_TRUE(first < last || box.count() == all) << g << ": the box of one tap holds nothing else";
        }
      }
    }
  }
}

// With dilation live() counts taps of the kernel, and what takes a tap wants its distance from the first.
TEST(WindowMap, WithDilationATapIsItsDistance) {
  std::vector<ConvGeometry> list = dilated_and_grouped_convolutions();
  for (ConvGeometry g : geometries()) {
    const Rng rng(2018, Purpose::kTest, list.size());
    for (std::size_t a = 0; a < 3; ++a) {
      if (g.kernel[a] == 1) continue;
      const std::int64_t most = (g.in[a] + 2 * g.padding[a] - 1) / (g.kernel[a] - 1);
      g.dilation[a] = 1 + static_cast<std::int64_t>(rng.below(a, static_cast<std::uint64_t>(most)));
    }
    list.push_back(g);
  }
  for (const ConvGeometry& g : list) {
    const WindowMap map = conv_map(g);
    const std::vector<Place> live = walk(map.live(), 0);
    const auto distance = [&](const Place& t) {
      const auto number = [&](std::size_t a) { return static_cast<int>(g.dilation[a]); };
      return Place{t.d * number(0), t.h * number(1), t.w * number(2)};
    };
    std::vector<std::int32_t> taps;
    for (const Place& t : live)
      taps.push_back(static_cast<std::int32_t>((t.d * g.kernel[1] + t.h) * g.kernel[2] + t.w));
    ASSERT_EQ(taps, g.live_tap_list()) << g;
    for (const bool by_output : {true, false}) {
      const Lists lists(g, by_output ? TapOrder::kByOutput : TapOrder::kByInput);
      for (int p = 0; p < (by_output ? map.outputs() : map.inputs()); ++p) {
        std::vector<std::pair<int, int>> pairs;
        for (const Place& t : live) {
          const int partner = by_output ? map.input_of(map.output_place(p), distance(t))
                                        : map.output_of(map.input_place(p), distance(t));
          if (partner >= 0) pairs.emplace_back(map.slot_of(t), partner);
        }
        ASSERT_EQ(pairs, lists.list(p)) << g << (by_output ? " output " : " input ") << p;
      }
    }
    const Lists by_tap(g, TapOrder::kByTap);
    for (std::size_t t = 0; t < live.size(); ++t) {
      const Box box = map.outputs_of_taps(distance(live[t]), distance(live[t]));
      const auto pairs = by_tap.list(static_cast<int>(t));
      ASSERT_EQ(box.count(), static_cast<int>(pairs.size())) << g;
      for (int b = 0; b < box.count(); ++b) {
        const Place o = box.at(b);
        ASSERT_EQ((o.d * map.h.out + o.h) * map.w.out + o.w, pairs[static_cast<std::size_t>(b)].first) << g;
      }
    }
  }
}

TEST(WindowMap, DeclinesInWords) {
  EXPECT_EQ(conv_map_declines(conv_on_cube(32, 200, 200, 4, 3, 1, 1)), "");
  EXPECT_NE(conv_map_declines(conv_on_square(1, 1, 1, 40, 17, 1, 0)).find("16 taps"), std::string::npos);
  EXPECT_NE(conv_map_declines(conv_on_square(64, 512, 1, 300, 1, 1, 0)).find("elements"), std::string::npos);
  EXPECT_NE(conv_map_declines(conv_on_square(1, 70000, 70000, 1, 1, 1, 0)).find("elements"),
            std::string::npos);
}

}  // namespace
}  // namespace umbra
