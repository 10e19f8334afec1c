// The file of folds: the rule of data/boxes/split.h as numbers, for programs that do not implement it.
#pragma once

#include "tools/train/arguments.h"

namespace umbra {

/// Writes the fold of every sub-box of --data to `file`, as JSON with one line per sub-box, and says how many
/// sub-boxes each fold has. Throws Error without data.folds, or if the task does not learn from sub-boxes.
void write_folds(const TrainArguments& arguments, const std::string& file);

}  // namespace umbra
