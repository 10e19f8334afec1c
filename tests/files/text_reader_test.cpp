// Text files as they occur, and files that only look like text.
#include "engine/io/text_reader.h"

#include <sys/stat.h>
#include <zlib.h>

#include <thread>

#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using TextReaderTest = FileTest;

std::vector<std::string> lines_of(const fs::path& path) {
  TextReader reader(path);
  std::vector<std::string> lines;
  for (std::string_view line; reader.next_line(line);) lines.emplace_back(line);
  return lines;
}

std::string packed(const std::string& text, const fs::path& path) {
  const gzFile file = ::gzopen(path.c_str(), "wb");
  ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  ::gzclose(file);
  return text_of(path);
}

TEST_F(TextReaderTest, DecorationsMakeNoDifference) {
  const std::vector<std::string> expected = {"a b", "", "1 2", "3"};
  for (const char* text : {"a b\n\n1 2\n3", "a b\n\n1 2\n3\n", "a b\r\n\r\n1 2\r\n3\r\n",
                           "\xef\xbb\xbf"
                           "a b\n\n1 2\r\n3"}) {
    put_bytes(path("t"), std::string(text));
    EXPECT_EQ(lines_of(path("t")), expected) << text;
    packed(text, path("t.gz"));
    EXPECT_EQ(lines_of(path("t.gz")), expected) << text;
  }
  put_bytes(path("t"), {});
  EXPECT_TRUE(lines_of(path("t")).empty());
}

TEST_F(TextReaderTest, PipesAreRead) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path("pipe")) << "a\nb\n" << std::string(700'000, 'c') << "\nd"; });
  EXPECT_EQ(lines_of(path("pipe")), (std::vector<std::string>{"a", "b", std::string(700'000, 'c'), "d"}));
  writer.join();
}

TEST_F(TextReaderTest, BinariesThatBeginAsGzipDoesAreReadAsTheyAre) {
  const std::string bytes("\x1f\x8b\x00\x00\x01\x02\x03\x04", 8);
  put_bytes(path("b"), bytes);
  ByteReader reader(path("b"));
  std::string got(100, ' ');
  got.resize(reader.read(got.data(), got.size()));
  EXPECT_EQ(got, bytes);
  const std::string one = packed("a\n", path("1.gz"));
  put_bytes(path("padded.gz"), one + std::string(700'000, '\0'));
  EXPECT_EQ(lines_of(path("padded.gz")), std::vector<std::string>{"a"});
  put_bytes(path("more.gz"), one + "b\n");
  expect_message([&] { lines_of(path("more.gz")); }, {"more.gz", "follows the compressed data"});
  const std::string members = packed("a\n", path("1.gz")) + packed("b\n", path("2.gz"));
  put_bytes(path("both.gz"), members);
  EXPECT_EQ(lines_of(path("both.gz")), (std::vector<std::string>{"a", "b"}));
}

TEST_F(TextReaderTest, ManyLinesComeOutAsTheyWentIn) {
  std::vector<std::string> expected;
  std::string text;
  for (int i = 0; i < 60'000; ++i) {
    expected.push_back(std::string(static_cast<std::size_t>(i * 7919 % 97), 'x') + std::to_string(i));
    text += expected.back() + (i % 3 == 0 ? "\r\n" : "\n");
  }
  put_bytes(path("t"), text);
  EXPECT_EQ(lines_of(path("t")), expected);
  EXPECT_EQ(read_text_file(path("t")).size(), text.size() - 20'000);  // CR is removed
  TextReader reader(path("t"));
  std::string_view line;
  for (int i = 0; i < 5; ++i) reader.next_line(line);
  EXPECT_EQ(reader.where(), "file '" + path("t").string() + "' line 5");
}

TEST_F(TextReaderTest, BlocksAreWholeLines) {
  std::string text = "\n\nfirst\n";
  for (int i = 0; i < 20'000; ++i) text += std::string(static_cast<std::size_t>(i * 7919 % 97), 'x') + "\n";
  text += std::string(700'000, 'y') + "\nlast";
  for (const bool gzip : {false, true}) {
    put_bytes(path("t"), text);
    if (gzip) packed(text, path("t"));
    for (const std::size_t size :
         {std::size_t{10}, std::size_t{1000}, std::size_t{1} << 18, std::size_t{1} << 22}) {
      TextReader reader(path("t"));
      std::string_view line;
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(reader.next_line(line));
      EXPECT_EQ(line, "first");
      std::string all = "\n\nfirst\n";
      for (TextBlock block; reader.next_block(size, block);) {
        ASSERT_TRUE(block.text().ends_with('\n'));
        for (std::size_t i = 0; i < 64; ++i) ASSERT_EQ(block.bytes.at(block.size + i), '\n');
        all += block.text();
      }
      EXPECT_EQ(all, text + "\n") << size;
    }
  }
}

TEST_F(TextReaderTest, LineEndsOfBlocksAreConverted) {
  const auto converted = [&](const std::string& text) {
    put_bytes(path("t"), text);
    TextReader reader(path("t"));
    TextBlock block;
    std::string all;
    while (reader.next_block(1000, block)) {
      block.drop_carriage_returns();
      all += block.text();
    }
    return all;
  };
  EXPECT_EQ(converted("a\r\n\r\nb\r\n"), "a\n\nb\n");
  EXPECT_EQ(converted("a\r\nb\r"), "a\nb\n");
  EXPECT_EQ(converted("a\nb"), "a\nb\n");
  EXPECT_EQ(converted("a\rb\r\r\n"), "a\rb\r\n");  // which is an error later
  EXPECT_EQ(converted(""), "");
}

TEST_F(TextReaderTest, WhatIsNoTextIsNamed) {
  const auto wrong = [&](const std::string& bytes, std::initializer_list<std::string> parts) {
    put_bytes(path("t"), bytes);
    expect_message([&] { lines_of(path("t")); }, parts);
  };
  wrong("a,b\r1,2\r3,4\r", {"line 1", "carriage return"});
  wrong("a,b\n1\r2\n", {"line 2", "carriage return"});
  wrong(std::string("a\nb\0c\n", 6), {"line 2", "not text"});
  wrong("a\n" + std::string(3 << 20, 'x'), {"line 2", "longer than 1048576 bytes"});
  wrong(std::string("\xff\xfe"
                    "a\0b\0",
                    6),
        {"UTF-16", "iconv"});
  wrong("BZh91AY", {"bzip2", "bzcat"});
  wrong(
      "\xfd"
      "7zXZ\x01",
      {"xz", "xzcat"});
  wrong("\x28\xb5\x2f\xfd\x01", {"zstd"});
  wrong("PK\x03\x04zip", {"zip"});
  std::string noise;
  for (unsigned i = 0; i < 100'000; ++i) noise += std::to_string(i * 2654435761U);
  const std::string gz = packed(noise, path("t.gz"));
  wrong(gz.substr(0, gz.size() / 2), {"gzip", "cut short"});
  std::string bad = gz;
  for (std::size_t i = 0; i < 50; ++i)
    bad[gz.size() / 2 + i] = static_cast<char>(bad[gz.size() / 2 + i] ^ 0x55);
  wrong(bad, {"gzip", "damaged"});
  expect_message([&] { lines_of(path("none")); }, {"none", "does not exist"});
  expect_message([&] { lines_of(folder_); }, {"is a folder"});
  expect_message([] { lines_of("/dev/zero"); }, {"/dev/zero", "not text"});
}

}  // namespace
}  // namespace umbra
