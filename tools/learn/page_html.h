// Steps from pandoc's HTML to a page.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tools/learn/common/run_record.h"

namespace umbra::learn {

/// `text` with & < > " as entities.
std::string html_escaped(const std::string& text);

/// Replaces every @NAME@ in `text` by parts.at("NAME"). Throws Error naming `file` for a name that has no part.
std::string filled(const std::string& text, const std::map<std::string, std::string>& parts,
                   const std::string& file);

/// Replaces each paragraph <img src="NAME.svg" alt="…"> by a figure with the SVG of that name in `folder` and the text
/// as its caption. Throws Error naming `page` for an image that is within a paragraph, has no text, or has no file.
std::string with_figures(const std::string& html, const std::filesystem::path& folder,
                         const std::string& page);

/// Gives each table a box in which it scrolls where the page is narrow.
std::string with_wide_tables(const std::string& html);

/// Draws \overline{…} as the border of a box: the accent that pandoc writes stretches in few fonts.
std::string with_overlines(const std::string& html);

/// Gives each paragraph that is only a formula the class "formula", since it may be wider than text, and keeps
/// formulas and the punctuation next to them on one line.
std::string with_placed_formulas(const std::string& html);

/// The text of HTML, in which entities stay as they are.
std::string without_tags(const std::string& html);

/// Commands as they must be typed in the folder of umbra: in code, a line that begins with "learn " begins with
/// "build/tools/learn ".
std::string with_commands(const std::string& html);

/// The sections about the run: what it claims, which settings to change, what the program printed.
std::string about_run(const RunRecord& run);

}  // namespace umbra::learn
