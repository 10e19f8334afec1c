#include "tools/reproduce/camels_rows.h"

#include <algorithm>

#include "engine/base/error.h"

namespace umbra {
namespace {

#define UMBRA_SEVEN \
  "data.parameters=log10(Omega_m),log10(sigma_8),log10(A_SN1),log10(A_AGN1),log10(A_SN2),log10(A_AGN2),log10(Omega_b)"
#define UMBRA_FIVE "data.features=occupancy,vpeak,residual(mvir),residual(vdisp),residual(rmax)"
#define UMBRA_SMALL "data.voxels=12 train.epochs=100"
#define UMBRA_POSITIONS "data.features=log10(vpeak),is_satellite,neighbours(1),neighbours(2),neighbours(5)"
#define UMBRA_ALL UMBRA_POSITIONS ",residual(mvir),residual(vdisp),residual(rmax),residual(angular_momentum)"
// Every box holds a halo above the cut, so that its one voxel is occupied.
#define UMBRA_NO_HALOS                                                                   \
  "model.name=mlp model.hidden=[64,64,64] model.activation=silu model.batch_norm=false " \
  "model.dropout=0.1 data.voxels=1 data.features=occupancy loss.link=log loss.poisson=10 train.epochs=240 "
#define UMBRA_DROPOUT "model.dropout=0|model.dropout=0.1"

constexpr const char *kPaper = "paper.toml", *kOurs = "um_resnet.toml", *kHalos = "um_halos.toml";
constexpr const char *kOfHistogram = "Gaussian process on the histogram of the input",
                     *kOfParameters = "Gaussian process on the parameters";
constexpr CamelsGroup kNetwork = CamelsGroup::kNetwork, kChange = CamelsGroup::kChange;

// clang-format off
constexpr CamelsRow kRows[] = {
    {"default", "`um_resnet.toml`: Vmax in 25³ voxels, 60 epochs", kNetwork, kOurs, "", "", kOfHistogram, true, 7},
    {"paper", "`paper.toml`: the published recipe, 15 epochs", kNetwork, kPaper, "", "", kOfHistogram, true, 2},
    {"longer", "`um_resnet.toml`, 200 epochs", kNetwork, kOurs, "train.epochs=200", "", "default", false, 23},
    {"five", "five channels (occupancy, Vmax, mass, dispersion, Rmax), 12³ voxels, 300 epochs", kNetwork, kOurs,
     "data.voxels=12 train.epochs=300 " UMBRA_FIVE, "", "default", true, 27},
    {"parameters", "seven parameters, no halo: `mlp` with a log link and the Poisson likelihood", kNetwork, kOurs,
     UMBRA_NO_HALOS UMBRA_SEVEN, "", kOfParameters, true, 0.7},
    {"fc1", "Vmax and seven parameters at fc1, 12³ voxels", kNetwork, kOurs,
     "data.voxels=12 model.parameters=fc1 " UMBRA_SEVEN, "train.epochs=30|train.epochs=100", "parameters", true, 5},
    {"halos", "`um_halos.toml`: Vmax and positions", kNetwork, kHalos, UMBRA_POSITIONS, UMBRA_DROPOUT, kOfHistogram,
     true, 11},
    {"halos_all", "`um_halos.toml`, and mass, dispersion, Rmax, spin", kNetwork, kHalos, UMBRA_ALL, UMBRA_DROPOUT,
     "halos", true, 11},
    {"halos_seven", "`um_halos.toml`, and seven parameters", kNetwork, kHalos, UMBRA_ALL " " UMBRA_SEVEN,
     UMBRA_DROPOUT, "parameters", true, 11},

    {"vmax", "control: `um_resnet.toml`, Vmax in 12³ voxels, 100 epochs", kChange, kOurs, UMBRA_SMALL, "", "",
     false, 5.5},
    {"voxels", "25³ voxels", kChange, kOurs, "train.epochs=100", "", "vmax", false, 11.5},
    {"occupancy", "and occupancy", kChange, kOurs, UMBRA_SMALL " data.features=vpeak,occupancy", "", "vmax", false, 6.5},
    {"mass", "and mass", kChange, kOurs, UMBRA_SMALL " data.features=vpeak,residual(mvir)", "", "vmax", false, 6.5},
    {"dispersion", "and velocity dispersion", kChange, kOurs, UMBRA_SMALL " data.features=vpeak,residual(vdisp)", "",
     "vmax", false, 6.5},
    {"rmax", "and Rmax", kChange, kOurs, UMBRA_SMALL " data.features=vpeak,residual(rmax)", "", "vmax", false, 6.5},
    {"spin", "and angular momentum", kChange, kOurs, UMBRA_SMALL " data.features=vpeak,residual(angular_momentum)", "",
     "vmax", false, 6.5},
    {"pooled", "a pooled branch at fc1", kChange, kOurs, UMBRA_SMALL " model.pooled=32", "", "vmax", false, 6.5},
    {"log", "log link", kChange, kOurs, UMBRA_SMALL " loss.link=log", "", "vmax", false, 5.5},
    {"poisson", "log link and Poisson likelihood", kChange, kOurs, UMBRA_SMALL " loss.link=log loss.poisson=10", "",
     "vmax", false, 5.5},
    {"unaugmented", "without symmetries and shifts", kChange, kOurs,
     UMBRA_SMALL " data.symmetries=false data.shifts=false", "", "vmax", false, 5.5},
    {"five_short", "and occupancy, mass, velocity dispersion and Rmax", kChange, kOurs, UMBRA_SMALL " " UMBRA_FIVE, "",
     "vmax", false, 9},
    {"five_pooled", "these five and a pooled branch at fc1", kChange, kOurs, UMBRA_SMALL " model.pooled=32 " UMBRA_FIVE,
     "", "five_short", false, 30},
    {"film", "parameters as scale and shift of the layers", kChange, kOurs,
     "data.voxels=12 model.parameters=film " UMBRA_SEVEN, "train.epochs=30|train.epochs=100", "fc1", false, 5},
    {"channels", "parameters as constant channels", kChange, kOurs,
     "data.voxels=12 model.parameters=channels " UMBRA_SEVEN, "train.epochs=30|train.epochs=100", "fc1", false, 5},
    {"halos_one", "control: `um_halos.toml`, Vmax and positions", kChange, kHalos, UMBRA_POSITIONS, "", "", false, 11},
    {"halos_mass", "Vmax, positions and mass", kChange, kHalos, UMBRA_POSITIONS ",residual(mvir)", "",
     "halos_one", false, 11},
    {"halos_dispersion", "Vmax, positions and velocity dispersion", kChange, kHalos, UMBRA_POSITIONS ",residual(vdisp)",
     "", "halos_one", false, 11},
    {"halos_rmax", "Vmax, positions and Rmax", kChange, kHalos, UMBRA_POSITIONS ",residual(rmax)", "",
     "halos_one", false, 11},
    {"halos_spin", "Vmax, positions and angular momentum", kChange, kHalos,
     UMBRA_POSITIONS ",residual(angular_momentum)", "", "halos_one", false, 11},
    {"halos_vmax", "Vmax without positions", kChange, kHalos, "data.features=log10(vpeak)", "", "halos_one", false, 11},
    {"halos_seven_one", "control: `um_halos.toml`, Vmax, positions, mass, dispersion, Rmax, spin, seven parameters",
     kChange, kHalos, UMBRA_ALL " " UMBRA_SEVEN, "", "", false, 11},
    {"halos_unlabelled", "seven parameters, without the halos' own galaxies in the loss", kChange, kHalos,
     UMBRA_ALL " " UMBRA_SEVEN " loss.halos=0", "", "halos_seven_one", false, 11},
    {"halos_unsummarised", "seven parameters, no summary of the other halos", kChange, kHalos,
     UMBRA_ALL " " UMBRA_SEVEN " model.embedding=0", "", "halos_seven_one", false, 11},
    {"halos_chi2", "seven parameters, without the Poisson likelihood", kChange, kHalos,
     UMBRA_ALL " " UMBRA_SEVEN " loss.poisson=0", "", "halos_seven_one", false, 11},
};
// clang-format on

#undef UMBRA_SEVEN
#undef UMBRA_FIVE
#undef UMBRA_SMALL
#undef UMBRA_POSITIONS
#undef UMBRA_ALL
#undef UMBRA_NO_HALOS
#undef UMBRA_DROPOUT

}  // namespace

std::span<const CamelsRow> camels_rows() {
  return kRows;
}

std::vector<CamelsRow> chosen_camels_rows(const std::vector<std::string>& names) {
  std::vector<CamelsRow> rows;
  std::string all;
  // Controls come with their rows; that of a row is another row, or a baseline of evaluate.
  std::vector<std::string> wanted = names;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (const CamelsRow& row : kRows)
      if (row.name == wanted[i] && *row.control != 0 &&
          std::find(wanted.begin(), wanted.end(), row.control) == wanted.end())
        wanted.emplace_back(row.control);
  for (const CamelsRow& row : kRows) {
    if (names.empty() || std::find(wanted.begin(), wanted.end(), row.name) != wanted.end())
      rows.push_back(row);
    all += concat(all.empty() ? "" : ", ", row.name);
  }
  for (const std::string& name : names)
    require(std::any_of(rows.begin(), rows.end(), [&](const CamelsRow& row) { return row.name == name; }),
            "--rows ", name, ": there is no such row, only ", all);
  return rows;
}

}  // namespace umbra
