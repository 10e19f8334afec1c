// Replaces fits_table.cpp in a build without CFITSIO.
#include "data/tables/table.h"
#include "engine/base/error.h"

namespace umbra {

bool can_read_fits() {
  return false;
}

std::unique_ptr<Table> open_fits_table(const std::filesystem::path& path, const std::string&) {
  fail("file '", path.string(),
       "' is a FITS file, which this build cannot read; build umbra with CFITSIO (package libcfitsio-dev)");
}

}  // namespace umbra
