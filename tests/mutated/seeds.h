// Every reader of users' files, and small valid files to damage for each.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/catalogs/catalog.h"

namespace umbra::mutated {

struct Reader {
  std::string name;
  std::vector<std::string> seeds;  // files that make() writes, below the reader's own folder
  std::function<void(const std::filesystem::path& folder)> make;
  /// Reads a damaged seed. It has the same path below another folder; the undamaged ones are in `seeds`.
  std::function<void(const std::filesystem::path& file, const std::filesystem::path& seeds)> read;
};

const std::vector<Reader>& all_readers();

/// By the file's name.
bool is_text(const std::string& seed);

void write_file(const std::filesystem::path& path, const std::string& bytes);
/// "" when there is no such file.
std::string file_bytes(const std::filesystem::path& path);

// The readers by kind of file.
std::vector<Reader> catalog_readers();
std::vector<Reader> model_readers();
std::vector<Reader> dataset_readers();
std::vector<Reader> text_readers();
std::vector<Reader> image_readers();

/// A catalog with every column.
Catalog sample_catalog();

/// Rewrites an HDF5 file as other programs write it: in the old format, without checksums, with contiguous
/// data (or compressed in chunks), and strings of variable length.
void rewrite_plainly(const std::filesystem::path& from, const std::filesystem::path& to, bool compressed);
/// A table of halos in one compound dataset, as halotools writes it.
void write_halotools(const std::filesystem::path& path);

}  // namespace umbra::mutated
