// The version of this program, as --version prints it and files carry it.
#pragma once

#include <string_view>

namespace umbra {

/// "0.1.0", the version of the project in CMakeLists.txt.
std::string_view version();

}  // namespace umbra
