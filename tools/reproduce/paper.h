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

/// The parts and what the report needs to know of them.
struct PaperPlan {
  std::string data;  ///< catalog
  std::vector<Part> parts;
  std::vector<PaperNetwork> networks;
  std::vector<PaperForest> forests;
  std::vector<PaperFigure> figures;
  std::string evaluation, table;  ///< JSON files; networks of the last epoch
  std::string best_epochs;        ///< JSON: networks of the epochs that the validation boxes chose
  std::map<std::string, std::string> searches;  ///< target of a forest -> JSON of its grid search
  std::int64_t fewest_trees = 0;                ///< that a forest can have
};

/// The plan for a catalog. Throws Error if a row is unknown.
PaperPlan paper_plan(const PaperOptions& options, const Places& places);

}  // namespace umbra
