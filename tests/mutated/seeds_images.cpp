// Images, and the table of a folder of them.
#include "data/images/labels.h"
#include "tests/fixtures/image_files.h"
#include "tests/mutated/seeds.h"

namespace umbra::mutated {
namespace {

namespace fs = std::filesystem;

void make_image_files(const fs::path& folder) {
  write_file(folder / "baseline.jpg", bytes_of(kJpeg));
  write_file(folder / "progressive.jpg", bytes_of(kProgressiveJpeg));
  write_file(folder / "grey.jpg", bytes_of(kGreyJpeg));
  write_file(folder / "cmyk.jpg", bytes_of(kCmykJpeg));  // refused for its channels
  write_file(folder / "rgb.png", png_file(bar(16, 1, 1)));
  write_file(folder / "palette.png", palette_png());
  write_file(folder / "interlaced.png", interlaced_png());
}

void read_damaged(const fs::path& file, const fs::path& seeds) try {
  read_image(file);
} catch (const DamagedImage&) {
  if (file != seeds / "cmyk.jpg") throw;  // undamaged, too, it is refused
}

void make_folder(const fs::path& folder) {
  make_bars(folder / "bars");
  fs::rename(folder / "bars/labels.csv", folder / "labels.txt");
}

void read_labels(const fs::path& file, const fs::path& seeds) {
  ImageOptions options;
  options.labels = fs::absolute(file).string();
  read_image_table(seeds / "bars", options);
}

}  // namespace

// A build without libjpeg-turbo and libpng refuses every image.
std::vector<Reader> image_readers() {
  std::vector<Reader> readers{{"image_labels", {"labels.txt"}, make_folder, read_labels}};
  if (can_read_images())
    readers.insert(readers.begin(), {"images",
                                     {"baseline.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "rgb.png",
                                      "palette.png", "interlaced.png"},
                                     make_image_files,
                                     read_damaged});
  return readers;
}

}  // namespace umbra::mutated
