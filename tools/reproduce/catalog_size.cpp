#include "tools/reproduce/catalog_size.h"

#include <cmath>

#include "data/catalogs/catalog_reader.h"
#include "engine/base/error.h"

namespace umbra {

CatalogSize size_of_catalog(const std::string& file) {
  constexpr double kSide = 250, kRows = 232'694;  // of mock --box-size 250
  try {
    const CatalogReader reader(file, {});
    const Catalog& header = reader.header();
    return {static_cast<double>(header.boxes) * std::pow(header.box_size / kSide, 3),
            static_cast<double>(reader.rows()) / kRows};
  } catch (const Error&) {
    return {};
  }
}

}  // namespace umbra
