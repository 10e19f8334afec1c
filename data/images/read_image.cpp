#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "data/images/decoders_internal.h"
#include "engine/base/error.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

bool starts_with(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

std::vector<std::uint8_t> file_bytes(const fs::path& path) {
  std::error_code problem;
  const bool regular = fs::is_regular_file(path, problem);
  if (problem) fail("it cannot be opened: ", problem.message());
  require(regular, "it is not a file");
  const auto size = static_cast<std::int64_t>(fs::file_size(path, problem));
  if (problem) fail("it cannot be opened: ", problem.message());
  if (size > kMostImageBytes)
    throw DamagedImage(concat("it has ", size, " bytes, but at most ", kMostImageBytes, " are read"));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  std::ifstream in(path, std::ios::binary);
  require(in.is_open(), "it cannot be opened: ", std::strerror(errno));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  require(in.gcount() == static_cast<std::streamsize>(size), "it cannot be read");
  return bytes;
}

// An error that does not come from the content of the file.
[[noreturn]] void fail_to_read(const fs::path& path, const std::exception& error) {
  const bool memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
  fail(path.string(), ": ", memory ? "there is not enough memory for it" : error.what());
}

}  // namespace

bool has_image_name(const fs::path& path) {
  const std::string ending = lower_case(path.extension().string());
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

void check_pixels(std::int64_t width, std::int64_t height, const BeforePixels& before) {
  require(width > 0 && height > 0, "it has ", width, " x ", height, " pixels");
  require(width <= kMostPixels / height, "it has ", width, " x ", height, " pixels, but at most ",
          kMostPixels, " are read");
  if (before) before(width * height);
}

Image decode_image(std::span<const std::uint8_t> bytes, const BeforePixels& before) {
  constexpr std::array<std::uint8_t, 3> kJpeg{0xff, 0xd8, 0xff};
  constexpr std::array<std::uint8_t, 8> kPng{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  require(!bytes.empty(), "it is empty");
  if (starts_with(bytes, kJpeg)) return decode_jpeg(bytes, before);
  if (starts_with(bytes, kPng)) return decode_png(bytes, before);
  fail("it is neither a JPEG nor a PNG file");
}

Image read_image(const fs::path& path, const BeforePixels& before) {
  std::vector<std::uint8_t> bytes;
  try {
    bytes = file_bytes(path);
  } catch (const DamagedImage& error) {
    throw DamagedImage(concat(path.string(), ": ", error.what()));
  } catch (const std::exception& error) {
    fail_to_read(path, error);
  }
  try {
    return decode_image(bytes, before);
  } catch (const Error& error) {
    throw DamagedImage(concat(path.string(), ": ", error.what()));
  } catch (const std::exception& error) {
    fail_to_read(path, error);
  }
}

}  // namespace umbra
