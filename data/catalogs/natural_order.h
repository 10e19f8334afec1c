// Natural order of names: SB7_2 before SB7_10.
#pragma once

#include <string_view>

namespace umbra {

/// Whether `a` comes before `b` if runs of digits are compared as numbers.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace umbra
