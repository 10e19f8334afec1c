// The rows of the table of the CAMELS boxes: one line of data for each network that is trained.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace umbra {

/// In which part of the table a row is.
enum class CamelsGroup {
  kNetwork,  ///< a network with inputs that are compared with baselines on the same inputs
  kChange    ///< one change to another row, its control
};

/// A network of the table. What is not here is as in its configuration.
struct CamelsRow {
  const char* name;    ///< one word: of the folders of its runs and on the command line
  const char* title;   ///< Markdown
  CamelsGroup group;   ///< part of the table
  const char* config;  ///< file in models/configs
  const char*
      settings;  ///< fixed before any of these boxes was validated on, or as `choices`; separated by blanks
  const char*
      choices;  ///< settings separated by '|', of which one is chosen inside the training boxes of each fold
  const char*
      control;     ///< what it is compared with box by box: the name of a row, or of a baseline of evaluate
  bool seeds;      ///< whether it has all seeds of the table, or one
  double seconds;  ///< estimate of one training on two cores, 896 boxes
};

/// All rows, in the order of the table.
std::span<const CamelsRow> camels_rows();

/// The rows with these names and their controls, in the order of the table; all if there are no names. Throws Error
/// with the names that exist.
std::vector<CamelsRow> chosen_camels_rows(const std::vector<std::string>& names);

}  // namespace umbra
