// The table of parameters of a CAMELS set, CosmoAstroSeed_*.txt.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/catalogs/camels_cube.h"
#include "data/catalogs/camels_files.h"

namespace umbra {

/// The columns of the table become Catalog::box_parameters, in the order of `files`, and sigma_8 is their
/// mean. Throws Error naming the table where it is damaged, lacks a simulation or contradicts its header.
void add_camels_parameters(Catalog& catalog, const std::vector<CamelsFile>& files,
                           const std::vector<CamelsHeader>& headers, const std::filesystem::path& path,
                           ImportReport& report);

}  // namespace umbra
