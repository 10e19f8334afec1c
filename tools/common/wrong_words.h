// Sentences about words on a command line that a tool does not know, with what was probably meant.
#pragma once

#include <string>

#include "tools/common/command_line.h"

namespace umbra {

/// One sentence about a command line that `app` has refused with `error`. It begins with the command. If a word is
/// unknown (a misspelt option or subcommand, a setting written as an option, a word too many), it is about the first
/// one and names what was probably meant.
std::string sentence_about(const CLI::ParseError& error, const ToolApp& app);

}  // namespace umbra
