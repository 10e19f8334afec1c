// The report of a reproduction: DIR/report.md and, with pandoc, DIR/report.html.
#pragma once

#include <string>

#include "tools/reproduce/paper.h"
#include "tools/reproduce/runner.h"

namespace umbra {

/// Writes the report of what the runner has done. Returns the lines to print: what was written and what is lost.
std::string write_report(const PaperPlan& plan, const Places& places, const Runner& runner);

}  // namespace umbra
