// The door through which peers enter: libraries of others (cuDNN, cuBLASLt) as rungs that are taken only
// where they are preferred. A program that knows the word links bench/peers, or bench/peers/absent.cpp; which
// of the two is decided by CMake. The engine links neither, and a program of either kind starts without the
// libraries.
#pragma once

namespace umbra {

class Registry;

/// Adds a rung named after each peer of this build.
void register_peers(Registry& registry);

}  // namespace umbra
