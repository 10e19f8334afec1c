// The sub-boxes of a catalog file in groups, for catalogs of any size with rows in any order: one pass over
// the file cuts every row into a halo (cut.h); where the halos do not fit into a buffer they wait, sorted by
// group, in a nameless scratch file. Memory holds one piece of the catalog, one buffer and one group. Every
// group is, bit for bit, the part of make_boxes' BoxSet that it stands for.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "data/boxes/cut.h"
#include "data/catalogs/catalog_reader.h"
#include "engine/io/scratch_file.h"

namespace umbra {

struct BoxStreamLimits {
  std::int64_t boxes = 0;  // in a group; 0: as many as make inputs of 32 MiB, 512 of 25^3 voxels
  std::size_t words = std::size_t{1} << 22;  // of halos in memory before they go to the scratch file
  std::int64_t rows = CatalogReader::kRows;  // of the catalog read at once
};

class BoxStream {
 public:
  /// Reads and cuts the whole file. The scratch file, where one is needed, is made in `scratch_folder`.
  /// Throws Error as read_catalog and make_boxes do.
  BoxStream(const std::filesystem::path& catalog, const BoxOptions& options,
            const std::filesystem::path& scratch_folder, const BoxStreamLimits& limits = {});

  std::int64_t count() const { return cutter_.count(); }  // sub-boxes in all groups together
  std::int64_t halos() const { return halos_; }           // that enter the inputs of all groups
  const CatalogReport& report() const { return reader_.report(); }
  bool uses_scratch() const { return scratch_.has_value(); }
  /// The next group: consecutive sub-boxes, numbered as in the whole catalog by BoxSet::box. Nothing at the
  /// end.
  std::optional<BoxSet> next();

 private:
  // Halos in the order of their groups: those of group g are words begin[g] to begin[g + 1] of the scratch
  // file, or of the buffer where there is no scratch file. Within a group they are in the order of rows.
  struct Run {
    std::vector<std::uint64_t> begin;
  };
  void sort_buffer();
  void spill();

  CatalogReader reader_;
  BoxCutter cutter_;
  std::filesystem::path folder_;
  std::int64_t per_group_ = 1, groups_ = 0, next_ = 0, halos_ = 0;
  std::vector<std::uint64_t> buffer_;
  std::optional<ScratchFile> scratch_;
  std::vector<Run> runs_;
};

}  // namespace umbra
