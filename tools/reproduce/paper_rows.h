// The rows of the paper's Table 1 that train makes: one line of data for each network.
#pragma once

#include <string>
#include <vector>

namespace umbra {

/// A network of the table, or one for each C. What is not here is as in its configuration.
struct PaperRow {
  const char* name;       ///< one word: of the folders of its runs and on the command line
  const char* network;    ///< "um_resnet C=20", without C if there is a row for each
  const char* what;       ///< the recipe: "the paper's recipe"
  const char* config;     ///< in models/configs; empty: the defaults, which are those of um_resnet.toml
  const char* settings;   ///< more than the configuration, separated by blanks
  const char* choices;    ///< settings separated by '|', of which one is chosen inside the training boxes
  bool of_each_channels;  ///< whether there is a row for each C
  int epochs;             ///< of its configuration and settings
  double seconds;         ///< of an epoch of 800 boxes on two cores, at C = 20
  double each_epoch;      ///< seconds of an epoch of a few boxes: its checkpoints, mostly
  /// Whether it is trained as the paper prints.
  bool is_of_paper() const { return std::string(config) == "paper.toml"; }
};

/// The rows with these names, in the order of the table; all if there are no names. Throws Error with the names that
/// exist.
std::vector<PaperRow> chosen_paper_rows(const std::vector<std::string>& names);

}  // namespace umbra
