// Pictures, and the table of a folder of them.
#include "data/images/labels.h"
#include "tests/fixtures/image_files.h"
#include "tests/mutated/seeds.h"

namespace umbra::mutated {
namespace {

namespace fs = std::filesystem;

void make_pictures(const fs::path& folder) {
  write_file(folder / "baseline.jpg", bytes_of(kJpeg));
  write_file(folder / "progressive.jpg", bytes_of(kProgressiveJpeg));
  write_file(folder / "grey.jpg", bytes_of(kGreyJpeg));
  write_file(folder / "picture.png", png_file(bar(16, 1, 1)));
}

void read_picture(const fs::path& file, const fs::path&) {
  read_image(file);
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

// A build without libjpeg-turbo and libpng refuses every picture.
std::vector<Reader> image_readers() {
  std::vector<Reader> readers{{"image_labels", {"labels.txt"}, make_folder, read_labels}};
  if (can_read_images())
    readers.insert(readers.begin(), {"images",
                                     {"baseline.jpg", "progressive.jpg", "grey.jpg", "picture.png"},
                                     make_pictures,
                                     read_picture});
  return readers;
}

}  // namespace umbra::mutated
