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

/// Every groups_NNN.hdf5 and fof_subhalo_tab_NNN.hdf5 below `folder`, one per folder, in natural order
/// (SB7_2 before SB7_10). Links to folders are followed, those that lead in circles or to a file already
/// found once only; so are the small text files that stand for a link where an archive or a checkout could
/// not make one. Throws Error when there is none, when a link leads nowhere, and when a folder holds several
/// snapshots and `snapshot` does not choose one.
std::vector<CamelsFile> camels_files(const std::filesystem::path& folder,
                                     std::optional<std::int64_t> snapshot, ImportReport* report = nullptr);

}  // namespace umbra
