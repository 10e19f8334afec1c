// Numbers in the text of a page: page.md refers to what the run recorded, so that no number is typed.
#pragma once

#include <string>

#include "tools/learn/common/run_record.h"

namespace umbra::learn {

/// Replaces every {{…}} in the Markdown `text` by a value of the run:
///
///   {{gd/loss}}          a record that is one number or word
///   {{gd/loss[3]}}       an element; [-1] is the last one
///   {{w[2,0]}}           an element of an array
///   {{gd/loss[3]:.2f}}   printed with %.2f, else with %.4g; a format ending in d is for whole numbers
///   {{setting steps}}    the value of a setting, as it was written
///
/// In a formula, 1.5e-09 becomes 1.5 · 10^{-9} in TeX, in text 1.5·10⁻⁹; in code it stays as it is. Throws Error
/// naming `page` and the line if the run has no such record, element or setting.
std::string with_values(const std::string& text, const RunRecord& run, const std::string& page);

}  // namespace umbra::learn
