// Finds the files of a CAMELS set.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/formats.h"

namespace umbra {

/// The file of one simulation.
struct CamelsFile {
  std::filesystem::path path;   ///< to open
  std::filesystem::path place;  ///< where it was found; determines the order of the cubes
  std::string simulation;       ///< name of the folder where it was found: the row in the table of parameters
};

/// Whether the name is that of a group catalog: `groups_*.hdf5` or, until 2024, `fof_subhalo_tab_*.hdf5`.
bool is_group_catalog(const std::filesystem::path& path);

/// All group catalogs below `folder`, one per folder, in natural order (SB7_2 before SB7_10). Links are
/// followed, also those that version control stores as text files; hidden entries are skipped; a file that
/// is reached by two paths is used once. Adds notes about skipped files to `report`. Throws Error when
/// there is no catalog, when a catalog is a broken link, and when a folder has several snapshots and
/// `snapshot` is not given.
std::vector<CamelsFile> camels_files(const std::filesystem::path& folder,
                                     std::optional<std::int64_t> snapshot, ImportReport& report);

}  // namespace umbra
