// The catalog that a tool writes, with a line of progress.
#pragma once

#include <string>

#include "data/catalogs/catalog.h"
#include "engine/base/stage.h"

namespace umbra {

/// write_catalog() as a stage.
inline void write_catalog_stage(const std::string& out, const Catalog& catalog, const StageReport& progress) {
  const Stage stage(progress, "writing");
  write_catalog(out, catalog);
}

}  // namespace umbra
