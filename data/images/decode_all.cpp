#include "data/images/decode_all.h"

#include <algorithm>
#include <new>

#include "data/images/pixel_budget.h"
#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPiece = std::int64_t{1} << 26;   // bytes
constexpr std::int64_t kAtOnce = std::int64_t{1} << 28;  // pixels

struct Problem {
  std::string text;       // begins with the path of the image; empty: none
  bool is_fatal = false;  // whatever data.broken_images is
};

Problem decode(const fs::path& path, const ImageFrame& frame, PixelBudget& budget,
               std::span<std::uint8_t> sample) noexcept {
  try {
    PixelBudget::Part part(budget);  // until the pixels are gone
    write_sample(read_image(path, [&](std::int64_t pixels) { part.take(pixels); }), frame, sample);
    return {};
  } catch (const OtherSize& error) {
    return {concat(path.string(), ": ", error.what()), true};
  } catch (const DamagedImage& error) {
    return {error.what()};
  } catch (const std::bad_alloc&) {
    return {concat(path.string(), ": there is not enough memory for it"), true};
  } catch (const std::exception& error) {
    return {error.what(), true};
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
    } catch (const DamagedImage& error) {
      if (first_problem.empty()) first_problem = error.what();
      continue;
    }
    ImageFrame frame{image.width,
                     image.height,
                     options.channels.number.value_or(image.channels),
                     options.crop,
                     options.size.number.has_value(),
                     !options.needs_targets};
    require(frame.channels != 2, "data.image_channels=2: 1 (grey) or 3 (RGB) is expected");
    if (options.crop > 0) frame.width = frame.height = options.crop;
    if (options.size.number) frame.width = frame.height = *options.size.number;
    return frame;
  }
  fail(folder.string(), ": none of ", files.size(), " images can be read; the first is ", first_problem);
}

std::vector<BrokenImage> decode_all(const fs::path& folder, const std::vector<std::string>& files,
                                    const ImageFrame& frame, Hdf5File& out, const StageReport& progress) {
  const auto count = static_cast<std::int64_t>(files.size());
  out.reserve<std::uint8_t>("inputs", {count, frame.channels, frame.height, frame.width});
  out.set_attribute("inputs", "scale", 1.0 / 255);
  const std::int64_t row = frame.count(), piece = std::clamp<std::int64_t>(kPiece / row, 1, count);
  std::vector<std::uint8_t> samples(static_cast<std::size_t>(piece * row));
  std::vector<Problem> problems(static_cast<std::size_t>(count));
  PixelBudget budget(kAtOnce);
  Stage stage(progress, "decoding images", count);
  for (std::int64_t first = 0; first < count; first += piece) {
    const std::int64_t rows = std::min(piece, count - first);
    const auto used = std::span(samples).first(static_cast<std::size_t>(rows * row));
    std::fill(used.begin(), used.end(), std::uint8_t{0});
    parallel_for(rows, [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(first + i);
      problems[at] = decode(folder / files[at], frame, budget,
                            used.subspan(static_cast<std::size_t>(i * row), static_cast<std::size_t>(row)));
      stage.add();
    });
    for (std::int64_t at = first; at < first + rows; ++at) {
      const Problem& problem = problems[static_cast<std::size_t>(at)];
      require(!problem.is_fatal, problem.text);
    }
    out.write_rows<std::uint8_t>("inputs", first, used);
  }
  std::vector<BrokenImage> broken;
  for (std::size_t i = 0; i < problems.size(); ++i)
    if (!problems[i].text.empty()) broken.push_back({i, problems[i].text});
  return broken;
}

}  // namespace umbra
