// Which files of a folder are the cubes of a CAMELS set.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/formats.h"

namespace umbra {

struct CamelsFile {
  std::filesystem::path path;   // to open
  std::filesystem::path place;  // where it was found: sorts the cubes
  std::string simulation;       // the folder it was found in: its row in the table of parameters
};

/// Whether a name is that of a group catalog: groups_*.hdf5 or, until 2024, fof_subhalo_tab_*.hdf5.
bool is_group_catalog(const std::filesystem::path& path);

/// Every group catalog below `folder`, one per folder, in natural order (SB7_2 before SB7_10). Links are
/// followed, hidden entries are not; a file that is found by two ways counts once, and so does a text file in
/// which version control keeps a link. Notes what was passed over. Throws Error when there is none, when a
/// catalog is a link that leads nowhere, and when a folder holds several snapshots and `snapshot` does not
/// choose one.
std::vector<CamelsFile> camels_files(const std::filesystem::path& folder,
                                     std::optional<std::int64_t> snapshot, ImportReport& report);

}  // namespace umbra
