// reproduce --camels: the table of the CAMELS boxes by five-fold cross-validation, from the downloaded group catalogs to
// camels.json and camels.md, or of some rows to camels-default-fc1.json and .md. The rows are data:
// tools/reproduce/camels_rows.cpp.
//
// Nothing is chosen on the boxes that a row is scored on. Every network is that of its last epoch; where a row has
// choices, one network per choice is trained on four fifths of the training boxes of the fold and scored on the fifth.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/reproduce/camels_rows.h"
#include "tools/reproduce/part.h"

namespace umbra {

/// What to make the table of.
struct CamelsTableOptions {
  std::string folder;      ///< with SB7_<i>/groups_090.hdf5
  std::string parameters;  ///< the table of the boxes' parameters; empty: the only Cosmo*.txt in `folder`
  std::vector<std::string> rows;  ///< names of rows; empty: all
  std::int64_t seeds = 3;         ///< networks of the rows that have several
  std::int64_t folds = 5;         ///< of the cross-validation
  std::int64_t epochs = 0;        ///< of every training; 0: those of the row
};

/// The settings that were chosen for a row and a fold.
using CamelsChoices = std::map<std::string, std::vector<std::string>>;  // name of the row -> [folds]

/// All parts up to the choice of settings if `choices` is null, otherwise all parts, in an order in which they can run.
/// Throws Error if the folder has no table of parameters.
std::vector<Part> camels_parts(const CamelsTableOptions& options, const Places& places,
                               const CamelsChoices* choices);

/// The choices with the lowest chi^2 on the inner validation boxes, from the results of the parts. A choice that is yet
/// to be made is the first one if `guesses`, otherwise an Error.
CamelsChoices camels_choices(const CamelsTableOptions& options, const Places& places, bool guesses = false);

/// The folder of the runs of a row in a fold: "OUT/runs/default/fold-0".
std::string camels_run(const Places& places, const CamelsRow& row, std::int64_t fold);
/// The table without its ending: "OUT/camels", or of some rows "OUT/camels-default-fc1", next to which a complete one
/// stays.
std::string camels_file(const CamelsTableOptions& options, const Places& places);
/// The pooled result of evaluate.
std::string camels_pooled(const CamelsTableOptions& options, const Places& places);

/// Makes everything that is left, then writes the table, camels_file() with .json and .md. `dry_run` prints the commands.
void reproduce_camels(const CamelsTableOptions& options, const Places& places, bool overwrite, bool dry_run);

}  // namespace umbra
