// Adds peers, third-party libraries (cuDNN, cuBLASLt), to a registry as rungs that are chosen only when the
// user prefers them. A program that calls register_peers() links bench/peers or bench/peers/absent.cpp, as
// CMake decides. The engine links neither, and programs start without the libraries installed.
#pragma once

namespace umbra {

class Registry;

/// Adds a rung named after each peer of this build.
void register_peers(Registry& registry);

}  // namespace umbra
