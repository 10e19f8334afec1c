// The sub-boxes of a catalog file in groups, for catalogs of any size with rows in any order. One pass over
// the file turns every row into a halo (cut.h); if the halos do not fit into a buffer, they are written,
// sorted by group, to an unnamed scratch file. Memory holds one piece of the catalog, one buffer and one
// group. Every group is bit-identical to the corresponding part of the BoxSet of make_boxes().
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "data/boxes/cut.h"
#include "data/catalogs/catalog_reader.h"
#include "engine/base/stage.h"
#include "engine/io/scratch_file.h"

namespace umbra {

/// The sizes of groups and buffers of a BoxStream.
struct BoxStreamLimits {
  std::int64_t boxes = 0;                    ///< per group; 0: inputs of 32 MiB, 512 sub-boxes of 25^3 voxels
  std::size_t words = std::size_t{1} << 22;  ///< of halos in memory; more go to the scratch file
  std::int64_t rows = CatalogReader::kRows;  ///< of the catalog, read at once
};

/// Reads a catalog file group by group.
class BoxStream {
 public:
  /// Reads and cuts the whole file. A scratch file, if needed, is created in `scratch_folder`. Throws Error
  /// as read_catalog() and make_boxes() do.
  BoxStream(const std::filesystem::path& catalog, const BoxOptions& options,
            const std::filesystem::path& scratch_folder, const BoxStreamLimits& limits = {},
            const StageReport& progress = {});

  std::int64_t count() const { return cutter_.count(); }  ///< sub-boxes in all groups
  std::int64_t halos() const { return halos_; }           ///< halos in the inputs of all groups
  /// What reading changed in the catalog.
  const CatalogReport& report() const { return reader_.report(); }
  /// Whether a scratch file was needed.
  bool uses_scratch() const { return scratch_.has_value(); }
  /// The next group of consecutive sub-boxes; BoxSet::box numbers them as in the whole catalog. Empty at
  /// the end.
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
