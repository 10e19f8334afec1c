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
    text.lines.push_back(concat(table.missing.size(), " rows have no image; the first is ", table.missing[0],
                                "; data.broken_images=skip leaves them out"));
}

// Of the first image only: info answers at once.
void add_first_image(const FileLook& folder, const ImageTable& table, Description& text) {
  if (!can_read_images()) {
    text.lines.emplace_back("this build cannot read images: it lacks libjpeg-turbo or libpng");
    return;
  }
  try {
    const Image image = read_image(folder.path() / table.files[0]);
    text.lines.push_back(concat("the first, ", table.files[0], ", has ", image.width, " x ", image.height,
                                " pixels in ", image.channels == 1 ? "grey" : "RGB"));
  } catch (const Error& error) {
    text.lines.push_back(concat("the first cannot be read: ", error.what()));
  }
}

}  // namespace

std::optional<Description> describe_images(const FileLook& file) {
  if (file.content() != Content::kFolder || !is_image_folder(file.path())) return std::nullopt;
  ImageTable table;
  try {
    table = read_image_table(file.path(), {});
  } catch (const Error& error) {  // settings of train may be needed, or the table has a mistake
    return Description{"a folder of images", {error.what()}};
  }
  Description text{
      concat("a folder of ", table.files.size(), table.files.size() == 1 ? " image" : " images")};
  add_table(table, text);
  add_first_image(file, table, text);
  const std::string path = shell_word(file.path().string());
  if (table.why_no_targets.empty()) {
    text.next.push_back(concat("train --data ", path, " --out run"));
  } else {
    text.lines.push_back(table.why_no_targets);
    if (!table.labels.empty())
      text.next.push_back(concat("train --data ", path, " --out run data.label_column=COLUMN"));
    text.next.push_back(concat("predict --run RUN --data ", path, " --out predictions.csv"));
  }
  return text;
}

}  // namespace umbra
