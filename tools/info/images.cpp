// The description of a folder of images.
#include <algorithm>

#include "data/images/image.h"
#include "data/images/labels.h"
#include "engine/base/error.h"
#include "tools/common/tool.h"
#include "tools/info/kinds.h"

namespace umbra {
namespace {

// "elliptical 401, spiral 389": the images of each class.
std::string counts_of(const ImageTable& table) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(table.class_count), 0);
  for (const std::int64_t label : table.classes) ++counts[static_cast<std::size_t>(label)];
  std::string text;
  for (std::size_t k = 0; k < counts.size(); ++k)
    text += concat(k == 0 ? "" : ", ", table.class_names.empty() ? std::to_string(k) : table.class_names[k],
                   " ", counts[k]);
  return text;
}

void add_table(const ImageTable& table, Description& text) {
  for (const std::string& note : table.notes) text.lines.push_back(note);
  if (table.class_count > 0) text.lines.push_back(concat(table.class_count, " classes: ", counts_of(table)));
  if (!table.sides.empty()) {
    const auto of_side = [&](std::int64_t side) {
      return std::count(table.sides.begin(), table.sides.end(), side);
    };
    text.lines.push_back(concat("split: ", of_side(0), " to train on, ", of_side(1), " to validate on",
                                of_side(2) > 0 ? concat(", ", of_side(2), " to test on") : ""));
  }
  if (!table.missing.empty())
    text.lines.push_back(
        concat(table.missing.size(),
               table.missing.size() == 1 ? " row has no image: " : " rows have no image; the first is ",
               table.missing[0]));
}

// What some of the images are; they are spread over all, so that info answers at once.
class Look {
 public:
  Look(const FileLook& folder, const ImageTable& table) {
    const std::size_t all = table.files.size(), count = std::min<std::size_t>(all, 20);
    for (std::size_t i = 0; i < count; ++i) read(folder.path() / table.files[i * all / count]);
    of_all_ = count == all;
  }
  void add_to(Description& text) const {
    if (images_.empty()) {
      text.lines.push_back(concat("none of those that were looked at can be read: ", problem_));
      return;
    }
    const auto area = [](const Image& image) { return image.width * image.height; };
    const auto [least, most] = std::minmax_element(
        images_.begin(), images_.end(), [&](const Image& a, const Image& b) { return area(a) < area(b); });
    const auto size = [](const Image& image) { return concat(image.width, " x ", image.height); };
    const auto greys =
        std::count_if(images_.begin(), images_.end(), [](const Image& image) { return image.channels == 1; });
    text.lines.push_back(concat(of_all_ ? "they have " : concat(images_.size(), " of them have "),
                                size(*least), size(*least) == size(*most) ? "" : concat(" to ", size(*most)),
                                " pixels in ",
                                greys == 0                     ? "RGB"
                                : greys == std::ssize(images_) ? "grey"
                                                               : "grey or RGB"));
    if (broken_ > 0)
      text.lines.push_back(concat(broken_, of_all_ ? "" : concat(" of ", images_.size() + broken_),
                                  " cannot be read: ", problem_));
  }
  // That train needs.
  std::string settings(bool has_gaps) const {
    std::string text = broken_ > 0 || has_gaps ? " data.broken_images=skip" : "";
    std::int64_t least = 4096;
    bool same = true;
    for (const Image& image : images_) {
      least = std::min({least, image.width, image.height});
      same = same && image.width == images_[0].width && image.height == image.width;
    }
    return same ? text : concat(" data.image_size=", least, text);  // resnet18 takes square images
  }

 private:
  void read(const std::filesystem::path& file) {
    try {
      Image image = read_image(file);
      image.pixels = {};
      images_.push_back(std::move(image));
    } catch (const Error& error) {
      if (broken_++ == 0) problem_ = error.what();
    }
  }
  std::vector<Image> images_;  // without pixels
  std::size_t broken_ = 0;
  std::string problem_;  // of the first that is broken
  bool of_all_ = false;
};

}  // namespace

std::optional<Description> describe_images(const FileLook& file) {
  if (has_image_name(file.path()) && file.content() != Content::kFolder)
    return Description{"an image", {"the folder of the images is given to the tools, not an image"}};
  if (file.content() != Content::kFolder || !is_image_folder(file.path())) return std::nullopt;
  ImageTable table;
  try {
    table = read_image_table(file.path(), {});
  } catch (const Error& error) {  // settings of train may be needed, or the table has a mistake
    return Description{"a folder of images", {error.what()}};
  }
  Description text{concat("a folder of ", table.images, table.images == 1 ? " image" : " images")};
  add_table(table, text);
  const std::string path = shell_word(file.path().string());
  if (!can_read_images()) {
    text.lines.emplace_back("this build cannot read images: it lacks libjpeg-turbo or libpng");
    return text;
  }
  const Look look(file, table);
  look.add_to(text);
  const std::string settings = look.settings(!table.missing.empty());
  if (table.why_no_targets.empty()) {
    text.next.push_back(concat("train --data ", path, " --out run", settings));
  } else {
    text.lines.push_back(table.why_no_targets);
    if (!table.labels.empty())
      text.next.push_back(concat("train --data ", path, " --out run data.label_column=COLUMN", settings));
    text.next.push_back(concat("predict --run RUN --data ", path, " --out predictions.csv"));
  }
  return text;
}

}  // namespace umbra
