#include "data/images/labels.h"

namespace umbra {

std::vector<Setting> ImageOptions::bind() {
  return {
      {"data.labels",
       "image folders: the CSV file with a row per image, relative to the folder; empty: the only one",
       &labels},
      {"data.images", "image folders: where the images are; empty: in images if that exists, else anywhere",
       &images},
      {"data.file_column",
       "image folders: the column that names the images, with or without folder and ending; empty: "
       "the one with most names of images",
       &file_column},
      {"data.label_column",
       "image folders: the column with the class, a number or a text; empty: label, class, ...",
       &label_column},
      {"data.name_column",
       "image folders: the column with the names of classes that are numbers; empty: class, ...",
       &name_column},
      {"data.value_columns",
       "image folders: columns with values to learn instead of classes, e.g. vote fractions", &value_columns},
      {"data.split_column",
       "image folders: the column with train, val or test; empty: split, subset or partition", &split_column},
      {"data.image_size", "image folders: pixels per side to which images are resized; auto: not resized",
       &size, 1, 4096},
      {"data.image_crop", "image folders: pixels per side of the central square that is used; 0: all", &crop,
       0, 65535},
      {"data.image_channels", "image folders: 1 (grey) or 3 (RGB); auto: as in the first image", &channels, 1,
       3},
      {"data.broken_images",
       "image folders: images that cannot be read or are missing are an error, or are skipped",
       &broken,
       0,
       0,
       {"error", "skip"}},
      changeable({"data.cache", "image folders: the folder that keeps decoded images; empty: next to the run",
                  &cache}),
  };
}

}  // namespace umbra
