// A build without OpenBLAS: no peers.
#include "bench/peers/peers.h"

namespace umbra {

void register_peers(Registry&) {}

}  // namespace umbra
