// Catalogs of other codes, one function per format; all end in validate(). Errors name the file and, for
// text, the line.
#pragma once

#include <filesystem>
#include <optional>

#include "data/catalogs/catalog.h"

namespace umbra {

struct ImportOptions {
  std::optional<double> box_size = std::nullopt;  // Mpc/h; needed where the file does not say it
  double min_vpeak = 0;                           // km/s
  double min_stellar_mass = 0;  // Msun; a row is kept when its vpeak or its stellar mass reaches the minimum
};

struct ImportReport {
  std::int64_t read = 0;       // rows in the file
  std::int64_t wrapped = 0;    // positions outside the cube
  std::int64_t flagged = 0;    // um-bin: rows its own flags say to ignore
  std::int64_t unmatched = 0;  // um-bin with hlist: galaxies without a halo there (orphans), left out
};

/// consistent-trees hlist_<a>.list (Behroozi et al. 2013). The first line "#scale(0) id(1) ..." names the
/// columns, which are found by name since their numbers differ between simulations. Box size and cosmology
/// from the header lines.
Catalog read_hlist(const std::filesystem::path& path, const ImportOptions& options,
                   ImportReport* report = nullptr);

/// UniverseMachine sfr_catalog_<a>.bin (Behroozi et al. 2019): records of 128 bytes, little endian. Stellar
/// mass and SFR are the "observed" ones. The file has no Vpeak: without `hlist`, vpeak is vmp, the circular
/// velocity when the mass peaked, which is not larger; with it, the two are merged by id as the authors of
/// Nadler & To (2018) did, and vpeak, vacc, macc, spin and halfmass_scale come from there. Box size 250 Mpc/h
/// unless given.
Catalog read_um_bin(const std::filesystem::path& path, const std::optional<std::filesystem::path>& hlist,
                    const ImportOptions& options, ImportReport* report = nullptr);

/// The comma-separated cache of the authors of Nadler & To (2018), merged_vpeak_150.cache: columns by name (X
/// Y Z Vpeak Vacc Mpeak Macc mvir Spin Halfmass_Scale upid obs_SM). Box size 250 Mpc/h unless given. obs_SM
/// is taken as Msun, as UniverseMachine writes it; the division by h^2 in the authors' code is not repeated.
Catalog read_umml_csv(const std::filesystem::path& path, const ImportOptions& options,
                      ImportReport* report = nullptr);

/// halotools HDF5: one table /data with columns halo_x ..., attributes Lbox and redshift.
Catalog read_halotools(const std::filesystem::path& path, const ImportOptions& options,
                       ImportReport* report = nullptr);

/// Keeps the rows of `catalog` that reach one of the minima of `options` (all of them where neither is set).
void apply_cuts(Catalog& catalog, const ImportOptions& options);

}  // namespace umbra
