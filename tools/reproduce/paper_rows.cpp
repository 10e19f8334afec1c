#include "tools/reproduce/paper_rows.h"

#include <algorithm>

#include "engine/base/error.h"

namespace umbra {
namespace {

// As in the paper, but where 25 Mpc/h or 32 boxes do not fit a catalog, which has other sub-boxes or few of them.
constexpr const char* kPaper = "data.subbox_size=auto train.batch=auto";
constexpr const char* kPaperLog = "data.subbox_size=auto train.batch=auto loss.name=chi2_log";
// Galaxies of the mock depend on the vpeak of their halos alone (docs/training.md, "Halos").
constexpr const char* kHalos =
    "data.features=log10(vpeak) model.embedding=0 loss.halos=20 train.epochs=12 train.warmup_epochs=1";
// The 2D network of the authors' code.
constexpr const char* kPlain = "model.name=um_resnet2d model.blocks=plain model.channels=10";
// um_dense has 16 million weights, and the rate that suits the convolutions need not suit it.
constexpr const char* kDenseRates =
    "train.learning_rate=0.0003|train.learning_rate=0.001|train.learning_rate=0.003";
constexpr PaperRow kRows[] = {
    {"paper", "um_resnet", "the paper's recipe", "paper.toml", kPaper, "", true, 15, 0.13, 0.02},
    {"paper-log", "um_resnet C=20", "the paper's recipe, loss of Eq. 1", "paper.toml", kPaperLog, "", false,
     15, 0.13, 0.02},
    {"um_resnet", "um_resnet", "our recipe", "um_resnet.toml", "", "", true, 60, 0.13, 0.02},
    {"um_resnet2d", "um_resnet2d C=20", "our recipe", "", "model.name=um_resnet2d", "", false, 60, 0.05,
     0.02},
    {"um_resnet2d-plain", "um_resnet2d plain C=10", "our recipe", "", kPlain, "", false, 60, 0.04, 0.02},
    {"um_dense", "um_dense", "our recipe", "", "model.name=um_dense", kDenseRates, false, 60, 0.55, 0.15},
    {"um_halos", "um_halos", "our recipe, Vpeak alone", "um_halos.toml", kHalos, "", false, 12, 0.2, 0.02},
};

}  // namespace

std::vector<PaperRow> chosen_paper_rows(const std::vector<std::string>& names) {
  std::vector<PaperRow> rows;
  std::string all;
  for (const PaperRow& row : kRows) {
    if (names.empty() || std::find(names.begin(), names.end(), row.name) != names.end()) rows.push_back(row);
    all += concat(all.empty() ? "" : ", ", row.name);
  }
  for (const std::string& name : names)
    require(std::any_of(rows.begin(), rows.end(), [&](const PaperRow& row) { return row.name == name; }),
            "--rows ", name, ": there is no such row, only ", all);
  return rows;
}

}  // namespace umbra
