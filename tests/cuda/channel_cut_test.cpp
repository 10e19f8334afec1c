// The threads of a ChannelCut's grid visit every number of [outer, C, inner] once, and assign it to the right
// channel.
#include "engine/cuda/tile/channel_cut.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/ops/shared/shape_lists.h"

namespace umbra {
namespace {

void expect_partition(const ChannelCut& cut, std::int64_t outer, std::int64_t channels, std::int64_t inner) {
  SCOPED_TRACE(testing::Message() << outer << " x " << channels << " x " << inner << " by " << cut.threads
                                  << " in " << cut.splits);
  std::vector<int> visits(static_cast<std::size_t>(outer * channels * inner));
  std::vector<std::int64_t> elements(cut.splits);  // of the first channel
  std::int64_t bad = 0;
  for (unsigned block = 0; block < cut.blocks(); ++block) {
    for (unsigned split = 0; split < cut.splits; ++split) {
      for (unsigned thread = 0; thread < cut.threads; ++thread) {
        const std::int64_t c = cut.channel(thread, block);
        for (ChannelWalk walk = cut.walk(thread, block, split); walk.more(); cut.next(walk)) {
          for (std::int64_t i = walk.at; i < walk.at + cut.width; ++i) {
            const bool inside = i >= 0 && i < static_cast<std::int64_t>(visits.size());
            if (!inside || i / inner % channels != c) ++bad;
            if (inside) ++visits[static_cast<std::size_t>(i)];
            if (c == 0) ++elements[split];
          }
        }
      }
    }
  }
  EXPECT_EQ(bad, 0);
  for (int count : visits) bad += count != 1;
  EXPECT_EQ(bad, 0);
  for (unsigned split = 0; split < cut.splits && channels > 0; ++split)
    EXPECT_EQ(elements[split], cut.split_elements(split));
}

TEST(ChannelCut, VisitsEveryNumberOnce) {
  for (const ChannelShape& s : kChannelShapes) {
    for (unsigned threads : {32u, 256u, 1024u}) {
      expect_partition(ChannelCut::whole(s.batch, s.channels, s.volume, threads), s.batch, s.channels,
                       s.volume);
    }
    expect_partition({s.batch, s.channels, s.volume, 64, 128, 5}, s.batch, s.channels, s.volume);
  }
  for (std::int64_t outer : {0, 1, 2, 7, 33, 300}) {
    for (std::int64_t channels : {1, 2, 31, 33}) {
      for (std::int64_t inner : {1, 2, 3, 4, 8, 12, 31, 32, 100}) {
        expect_partition({outer, channels, inner, 96, 200, 7}, outer, channels, inner);
        expect_partition({outer, channels, inner, 256, 2048, 65535}, outer, channels, inner);
      }
    }
  }
}

TEST(ChannelCut, SaysWhatIsTooLarge) {
  EXPECT_EQ(ChannelCut::declines(1 << 20, 1 << 10), "");
  EXPECT_NE(ChannelCut::declines(1 << 20, 1 << 11), "");
}

}  // namespace
}  // namespace umbra
