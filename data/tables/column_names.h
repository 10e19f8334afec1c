// Finds columns by the names that users write: without regard to case, and with the closest name for one that is missing.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace umbra {

/// The index of `wanted` in `names`: the same name or, if there is none, the one that differs only in upper and lower
/// case. Throws Error, which begins with `where`, if several do.
std::optional<std::size_t> find_name(std::span<const std::string> names, std::string_view wanted,
                                     std::string_view where);

/// For a note to the user: "column Vpeak read as vpeak".
std::string read_as(std::string_view found, std::string_view wanted);

/// "; did you mean 'Vpeak'?" for a name that is not in `names`; "" if none is similar.
std::string closest_hint(std::span<const std::string> names, std::string_view wanted);

}  // namespace umbra
