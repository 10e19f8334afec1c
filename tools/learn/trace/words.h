// What a user writes: the weight to change, and what to show next.
#pragma once

#include <string>
#include <vector>

#include "engine/nn/module.h"

namespace umbra::learn {

/// A weight and how much it changes.
struct ChangedWeight {
  std::string parameter;
  std::int64_t element;  ///< row-major index
  double eps;
};
/// Reads "NAME[i]=eps", with a row-major index or one index per axis. Throws Error with the known names or the shape
/// when there is no such element.
ChangedWeight changed_weight(const std::string& text, const std::vector<Parameter>& parameters);

/// A line that a user typed while the trace is shown one node at a time.
struct Command {
  enum What { kNext, kPrevious, kDetails, kQuit, kNumber, kUnknown };
  What what;
  std::size_t number = 0;  ///< of a node, 1…count, for kNumber
};
/// n or nothing: next; p: previous; d: details; q: quit; a number from 1 to `count`: that node.
Command command_of(const std::string& line, std::size_t count);

}  // namespace umbra::learn
