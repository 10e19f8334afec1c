// The peers of the GPU libraries, collected by gpu.cpp.
#pragma once

#include <vector>

#include "bench/peers/peers.h"

namespace umbra {

std::vector<Peer> cudnn_peers();          // cudnn.cpp
std::vector<Peer> cublaslt_peers();       // cublaslt.cpp
std::vector<Peer> cublaslt_yardsticks();  // cublaslt.cpp

}  // namespace umbra
