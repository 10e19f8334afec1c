// The version of umbra, as --version prints it and as files contain it.
#pragma once

#include <string_view>

namespace umbra {

/// The version of the project in CMakeLists.txt, such as "0.1.0".
std::string_view version();

}  // namespace umbra
