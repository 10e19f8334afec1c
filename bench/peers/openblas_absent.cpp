// For a build without OpenBLAS.
#include "bench/peers/peers.h"

namespace umbra {

void register_openblas(Registry&) {}

}  // namespace umbra
