// The kinds of files that `info` describes: one function each, listed in kinds.def in the order in which they are tried.
// The formats that `import` reads follow them (tools/common/import_formats.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/recognise.h"

namespace umbra {

/// What `info` prints about a file.
struct Description {
  std::string what;                     ///< "a catalog of 1 cube of 100 Mpc/h, 20000 rows"
  std::vector<std::string> lines = {};  ///< details
  std::vector<std::string> next = {};   ///< commands to type, without the folder of the tools
};

#define KIND(name) \
  std::optional<Description> describe_##name(const FileLook& file);  ///< nothing for another kind
#include "tools/info/kinds.def"
#undef KIND

/// A file in one of the formats that `import` reads.
std::optional<Description> describe_import(const FileLook& file);

/// A folder of images. To be asked last: folders of catalogs may hold images, too.
std::optional<Description> describe_images(const FileLook& file);

/// The settings to add to `train --weights` so that it makes the network that `config`, the text of a config.toml,
/// describes: " model.channels=20", or nothing if the defaults do or the text cannot be read.
std::string settings_of_network(const std::string& config);

/// "h 0.7, omega_m 0.3", of what a file contains.
std::string cosmology_line(const TableHeader& header);

}  // namespace umbra
