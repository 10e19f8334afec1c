#include "engine/io/version.h"

namespace umbra {

std::string_view version() {
  return UMBRA_VERSION;
}

}  // namespace umbra
