// The table of parameters of a CAMELS set, CosmoAstroSeed_*.txt.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/catalogs/camels_cube.h"
#include "data/catalogs/camels_files.h"

namespace umbra {

/// Reads the table at `path`. Its columns become Catalog::box_parameters, in the order of `files`; the
/// attribute sigma_8 becomes the mean of its column. Throws Error with the table when it is damaged, has no
/// row for a simulation or contradicts the header of a file.
void add_camels_parameters(Catalog& catalog, const std::vector<CamelsFile>& files,
                           const std::vector<CamelsHeader>& headers, const std::filesystem::path& path,
                           ImportReport& report);

}  // namespace umbra
