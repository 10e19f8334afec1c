// Images: what is decoded from JPEG and PNG, what is refused, and how images become samples.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "data/images/frame.h"
#include "data/images/image.h"
#include "data/images/pixel_budget.h"
#include "tests/fixtures/folder_test.h"
#include "tests/fixtures/image_files.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

Image decode(const std::string& bytes) {
  return decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::string refusal(const std::string& bytes) {
  try {
    decode(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::vector<int> pixel(const Image& image, std::int64_t x, std::int64_t y) {
  const auto at = image.pixels.begin() + (y * image.width + x) * image.channels;
  return {at, at + image.channels};
}

class ImagesTest : public FolderTest {
 protected:
  void SetUp() override {
    if (!can_read_images()) GTEST_SKIP() << "a build without libjpeg-turbo and libpng does not read images";
  }
};

TEST_F(ImagesTest, JpegHasThePixelsThatPillowDecodes) {
  const Image image = decode_image(kJpeg);
  EXPECT_EQ(image.width, 12);
  EXPECT_EQ(image.height, 8);
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(pixel(image, 0, 0), (std::vector<int>{0, 2, 185}));
  EXPECT_EQ(pixel(image, 11, 7), (std::vector<int>{215, 214, 38}));
  EXPECT_EQ(pixel(image, 5, 3), (std::vector<int>{90, 80, 211}));
  const Image progressive = decode_image(kProgressiveJpeg);
  EXPECT_EQ(pixel(progressive, 11, 7), (std::vector<int>{222, 206, 59}));
  const Image grey = decode_image(kGreyJpeg);
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(pixel(grey, 5, 3), (std::vector<int>{98}));
}

TEST_F(ImagesTest, PngKeepsEveryPixel) {
  const Image wanted = bar(9, 1, 4);
  const Image image = decode(png_file(wanted));
  EXPECT_EQ(image.pixels, wanted.pixels);
  EXPECT_EQ(image.width, 9);
}

TEST_F(ImagesTest, PngDropsAlphaAndRoundsSixteenBits) {
  using namespace std::string_literals;
  EXPECT_EQ(decode(png_file(1, 1, 8, 6, "\0\x0a\x14\x1e\x80"s)).pixels,
            (std::vector<std::uint8_t>{10, 20, 30}));
  const Image grey = decode(png_file(2, 1, 16, 0, "\0\x00\x80\xff\xff"s));  // 128 of 65535 is 0.498 of 255
  EXPECT_EQ(grey.pixels, (std::vector<std::uint8_t>{0, 255}));
  EXPECT_EQ(decode(png_file(4, 1, 1, 0, "\0\xa0"s)).pixels, (std::vector<std::uint8_t>{255, 0, 255, 0}));
}

TEST_F(ImagesTest, EveryKindOfPngIsRead) {
  using namespace std::string_literals;
  EXPECT_EQ(decode(palette_png()).pixels,
            (std::vector<std::uint8_t>{10, 20, 30, 255, 0, 0, 0, 255, 0, 0, 0, 255}));
  const Image interlaced = decode(interlaced_png());
  EXPECT_EQ(interlaced.channels, 1);
  EXPECT_EQ(interlaced.pixels, (std::vector<std::uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(decode(png_file(2, 1, 8, 4, "\0\x07\x00\xc8\xff"s)).pixels,
            (std::vector<std::uint8_t>{7, 200}));  // grey with alpha
  EXPECT_EQ(decode(png_file(2, 1, 8, 0, "\0\x07\xc8"s, png_chunk("tRNS", "\x00\x07"s))).pixels,
            (std::vector<std::uint8_t>{7, 200}));  // grey with one transparent level
  EXPECT_EQ(decode(png_file(1, 1, 16, 2, "\0\x00\x80\x80\x80\xff\x7f"s)).pixels,
            (std::vector<std::uint8_t>{0, 128, 255}));  // 255/65535 of 128, 32896 and 65407
}

TEST_F(ImagesTest, JpegHasAtMost100Scans) {
  EXPECT_EQ(refusal(jpeg_of_scans(100)), "");
  EXPECT_NE(refusal(jpeg_of_scans(101)).find("more than 100 scans"), std::string::npos)
      << refusal(jpeg_of_scans(101));
}

TEST_F(ImagesTest, DamageIsRefused) {
  const std::string jpeg = bytes_of(kJpeg), png = png_file(bar(16, 0, 1));
  EXPECT_NE(refusal(jpeg.substr(0, jpeg.size() / 2)).find("Premature end"), std::string::npos)
      << refusal(jpeg);
  EXPECT_NE(refusal(png.substr(0, png.size() / 2)).find("too early"), std::string::npos);
  std::string wrong = png;
  wrong[png.size() / 2] = static_cast<char>(wrong[png.size() / 2] ^ 1);
  EXPECT_NE(refusal(wrong), "");
  EXPECT_NE(refusal("GIF89a").find("neither a JPEG nor a PNG"), std::string::npos);
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal(bytes_of(kCmykJpeg)).find("CMYK"), std::string::npos);
}

// A few bytes that claim to be a huge image are refused by their header.
TEST_F(ImagesTest, DecompressionBombsAreRefused) {
  EXPECT_NE(refusal(png_file(60000, 60000, 8, 2, "")).find("60000 x 60000 pixels, but at most 67108864"),
            std::string::npos);
  EXPECT_NE(refusal(png_file(100000, 1, 8, 2, "")).find("IHDR"), std::string::npos);
  std::string jpeg = bytes_of(kJpeg);
  const std::size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  for (const std::size_t at : {5U, 6U, 7U, 8U}) jpeg[frame + at] = '\xef';
  EXPECT_NE(refusal(jpeg).find("pixels, but at most"), std::string::npos) << refusal(jpeg);
}

TEST_F(ImagesTest, ErrorsOfFilesBeginWithTheirPath) {
  write_bytes(folder_ / "a.jpg", "no image");
  try {
    read_image(folder_ / "a.jpg");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              (folder_ / "a.jpg").string() + ": it is neither a JPEG nor a PNG file");
  }
  EXPECT_THROW(read_image(folder_ / "a.jpg"), DamagedImage);
}

// data.broken_images=skip must not leave out an intact file because of the disk or the memory.
TEST_F(ImagesTest, FilesThatCannotBeOpenedAreNotDamaged) {
  for (const fs::path& path : {folder_ / "none.jpg", folder_}) {
    try {
      read_image(path);
      FAIL();
    } catch (const DamagedImage& error) {
      FAIL() << error.what();
    } catch (const Error& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path.string() + ": it ")) << error.what();
    }
  }
}

TEST(PixelBudget, ThreadsTakeTurns) {
  PixelBudget budget(100);
  std::atomic<bool> second{false};
  std::thread thread;
  {
    PixelBudget::Part large(budget);
    large.take(1000);  // alone
    thread = std::thread([&] {
      PixelBudget::Part small(budget);
      small.take(1);
      second = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(second);
  }
  thread.join();
  EXPECT_TRUE(second);
  PixelBudget::Part one(budget), two(budget);
  one.take(60), two.take(40);
}

TEST_F(ImagesTest, PixelsAreAnnouncedBeforeTheyAreDecoded) {
  std::vector<std::int64_t> announced;
  const auto before = [&](std::int64_t pixels) { announced.push_back(pixels); };
  decode_image(kJpeg, before);
  const std::string png = png_file(bar(16, 0, 1));
  decode_image({reinterpret_cast<const std::uint8_t*>(png.data()), png.size()}, before);
  EXPECT_EQ(announced, (std::vector<std::int64_t>{96, 256}));
}

std::vector<int> sample(const Image& image, const ImageFrame& frame) {
  std::vector<std::uint8_t> numbers(static_cast<std::size_t>(frame.count()));
  write_sample(image, frame, numbers);
  return {numbers.begin(), numbers.end()};
}

TEST(ImageFrame, ChannelsComeFirst) {
  const Image image{2, 1, 3, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(sample(image, {2, 1, 3}), (std::vector<int>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(sample(image, {2, 1, 1}), (std::vector<int>{2, 5}));  // 0.299 + 2 * 0.587 + 3 * 0.114 = 1.815
  EXPECT_EQ(sample({2, 1, 1, {7, 8}}, {2, 1, 3}), (std::vector<int>{7, 8, 7, 8, 7, 8}));
}

TEST(ImageFrame, TheCentralSquareIsCutOut) {
  const Image image{4, 2, 1, {0, 1, 2, 3, 4, 5, 6, 7}};
  EXPECT_EQ(sample(image, {2, 2, 1, 2}), (std::vector<int>{1, 2, 5, 6}));
  EXPECT_EQ(sample(image, {2, 2, 1, 0, true}), (std::vector<int>{1, 2, 5, 6}));
}

// Half the size: weights 1 3 3 1 over 8, cut at the edges: 3 3 1 over 7.
TEST(ImageFrame, ResizingIsATriangle) {
  const Image image{
      4, 4, 1, std::vector<std::uint8_t>{0, 70, 140, 210, 0, 70, 140, 210, 0, 70, 140, 210, 0, 70, 140, 210}};
  EXPECT_EQ(sample(image, {2, 2, 1, 0, true}), (std::vector<int>{50, 160, 50, 160}));
  const Image dots{2, 2, 1, {0, 100, 0, 100}};
  EXPECT_EQ(sample(dots, {4, 4, 1, 0, true}),
            (std::vector<int>{0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100}));
}

TEST(ImageFrame, OtherSizesAreRefused) {
  EXPECT_THROW(sample({2, 1, 1, {7, 8}}, {2, 2, 1}), OtherSize);
  EXPECT_THROW(sample({2, 1, 1, {7, 8}}, {2, 2, 1, 2, true}), OtherSize);
}

}  // namespace
}  // namespace umbra
