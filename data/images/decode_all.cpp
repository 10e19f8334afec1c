#include "data/images/decode_all.h"

#include <algorithm>

#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPiece = std::int64_t{1} << 26;  // bytes

struct Problem {
  std::string text;  // begins with the path of the picture; empty: none
  bool is_size = false;
};

Problem decode(const fs::path& path, const ImageFrame& frame, std::span<std::uint8_t> sample) noexcept {
  try {
    write_sample(read_image(path), frame, sample);
    return {};
  } catch (const OtherSize& error) {
    return {concat(path.string(), ": ", error.what()), true};
  } catch (const std::exception& error) {
    return {error.what()};
  }
}

}  // namespace

ImageFrame frame_of(const fs::path& folder, const std::vector<std::string>& files,
                    const ImageOptions& options) {
  std::string first_problem;
  for (const std::string& file : files) {
    Image image;
    try {
      image = read_image(folder / file);
    } catch (const Error& error) {
      if (first_problem.empty()) first_problem = error.what();
      continue;
    }
    ImageFrame frame{image.width, image.height, options.channels.number.value_or(image.channels),
                     options.crop, options.size.number.has_value()};
    require(frame.channels != 2, "data.image_channels=2: 1 (grey) or 3 (RGB) is expected");
    if (options.crop > 0) frame.width = frame.height = options.crop;
    if (options.size.number) frame.width = frame.height = *options.size.number;
    return frame;
  }
  fail(folder.string(), ": none of ", files.size(), " pictures can be read; the first is ", first_problem);
}

std::vector<BrokenImage> decode_all(const fs::path& folder, const std::vector<std::string>& files,
                                    const ImageFrame& frame, Hdf5File& out, const StageReport& progress) {
  const auto count = static_cast<std::int64_t>(files.size());
  out.reserve<std::uint8_t>("inputs", {count, frame.channels, frame.height, frame.width});
  out.set_attribute("inputs", "scale", 1.0 / 255);
  const std::int64_t row = frame.count(), piece = std::clamp<std::int64_t>(kPiece / row, 1, count);
  std::vector<std::uint8_t> samples(static_cast<std::size_t>(piece * row));
  std::vector<Problem> problems(static_cast<std::size_t>(count));
  Stage stage(progress, "decoding pictures", count);
  for (std::int64_t first = 0; first < count; first += piece) {
    const std::int64_t rows = std::min(piece, count - first);
    const auto used = std::span(samples).first(static_cast<std::size_t>(rows * row));
    std::fill(used.begin(), used.end(), std::uint8_t{0});
    parallel_for(rows, [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(first + i);
      problems[at] = decode(folder / files[at], frame,
                            used.subspan(static_cast<std::size_t>(i * row), static_cast<std::size_t>(row)));
      stage.add();
    });
    out.write_rows<std::uint8_t>("inputs", first, used);
  }
  std::vector<BrokenImage> broken;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    require(!problems[i].is_size, problems[i].text);
    if (!problems[i].text.empty()) broken.push_back({i, problems[i].text});
  }
  return broken;
}

}  // namespace umbra
