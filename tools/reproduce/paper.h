// The parts of the paper: Nadler & To (2018) on a catalog, from the forest's grid search to the figures.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/reproduce/part.h"

namespace umbra {

/// What to reproduce the paper with.
struct PaperOptions {
  std::string data;                                         ///< catalog; empty: a mock universe of 250 Mpc/h
  std::int64_t seeds = 3;                                   ///< networks and forests of every row
  std::vector<std::int64_t> channels = {20, 100};           ///< C of the ResNet
  std::vector<std::int64_t> trees = {100, 500, 750, 1000};  ///< of the forest's grid
  std::vector<std::string> rows;                            ///< networks by name; empty: all
  bool figures = true;                                      ///< with the figures, which need Python
  std::int64_t epochs = 0;  ///< of every training; 0: those of its configuration
};

/// A row of the table that `train` makes: a network, with all its seeds.
struct PaperNetwork {
  std::string run;        ///< folder
  std::string title;      ///< "um_resnet C=20, the paper's recipe"
  std::string recipe;     ///< name of the row without C: "paper"
  std::int64_t channels;  ///< 0 if the row has one width
};

/// A forest of one seed.
struct PaperForest {
  std::string file;
  std::string target;  ///< "log10" or "linear"
  std::int64_t seed;
};

/// A figure, NAME.png and NAME.pdf in DIR/figures; the part figure-NAME makes it.
struct PaperFigure {
  std::string name, caption;
};

/// Settings of a row of which one is chosen inside the training boxes.
struct PaperChoice {
  std::string row;                    ///< its name
  std::vector<std::string> settings;  ///< to choose from: "train.learning_rate=0.001"
  std::string file;                   ///< what evaluate says of a network for each of them (JSON)
};
/// The settings that were chosen: name of the row -> settings.
using PaperChosen = std::map<std::string, std::string>;

/// The parts and what the report needs to know of them.
struct PaperPlan {
  std::string data;  ///< catalog
  std::vector<Part> parts;
  std::vector<PaperNetwork> networks;
  std::vector<PaperForest> forests;
  std::vector<PaperFigure> figures;
  std::vector<PaperChoice> choices;
  std::string evaluation, table;  ///< JSON files; networks of the last epoch
  std::string best_epochs;        ///< JSON: networks of the epochs that the validation boxes chose
  std::map<std::string, std::string> searches;  ///< target of a forest -> JSON of its grid search
  std::int64_t fewest_trees = 0;                ///< that a forest can have
};

/// The plan for a catalog: all parts up to the choice of settings if `chosen` is null, otherwise all parts, in an order
/// in which they can run. Throws Error if a row is unknown.
PaperPlan paper_plan(const PaperOptions& options, const Places& places, const PaperChosen* chosen);

/// The settings with the lowest chi^2 inside the training boxes, from the results of the parts. A choice that is yet to
/// be made is the first one if `guesses`, otherwise an Error.
PaperChosen chosen_settings(const std::vector<PaperChoice>& choices, bool guesses = false);

/// The checkpoints of all seeds of a network: of the epoch "best" or "last".
std::vector<std::string> checkpoints_of(const PaperPlan& plan, const PaperNetwork& network,
                                        const std::string& epoch);

/// Makes everything that is left, then writes the report. `dry_run` prints the commands.
void reproduce_paper(const PaperOptions& options, const Places& places, bool overwrite, bool dry_run);

}  // namespace umbra
