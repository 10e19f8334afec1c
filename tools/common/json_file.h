// JSON files that umbra reads back: one way to read them, and one sentence for what is wrong with them.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace umbra {

/// The object in a JSON file, its keys in the order of the file. `expected` is for messages: what the file should be, as
/// in "the result of forest search". Throws Error naming the file if it cannot be read, is not JSON, or is of a newer
/// format_version.
nlohmann::ordered_json read_json_file(const std::filesystem::path& file, const std::string& expected);

/// Throws Error with what an exception of the JSON library means for a reader of `file`.
[[noreturn]] void refuse_json(const std::filesystem::path& file, const std::string& expected,
                              const nlohmann::ordered_json::exception& error);

/// What `use` makes of the object in a JSON file. `use` takes fields with at(); one that is missing or of another type is
/// an Error that names file and field, and what is expected.
template <class Use>
auto from_json_file(const std::filesystem::path& file, const std::string& expected, const Use& use) {
  const nlohmann::ordered_json json = read_json_file(file, expected);
  try {
    return use(json);
  } catch (const nlohmann::ordered_json::exception& error) {
    refuse_json(file, expected, error);
  }
}

}  // namespace umbra
