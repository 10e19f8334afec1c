// Folders that the commands of the course write to.
#pragma once

#include <filesystem>
#include <string>

namespace umbra::learn {

/// Throws Error if `folder`, or a folder that it is in, is a file. `who` needs it, such as "the course".
void refuse_file(const std::filesystem::path& folder, const std::string& who);

/// Creates the folder and those that it is in, unless they exist. Throws Error that says what prevents it.
void make_folder(const std::filesystem::path& folder, const std::string& who);

}  // namespace umbra::learn
