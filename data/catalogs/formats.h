// Catalogs of other codes, one function per format; all end in finish_import(). Errors name the file and the
// line or row.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/catalog.h"

namespace umbra {

struct ImportOptions {
  std::optional<double> box_size = std::nullopt;  // Mpc/h; needed where the file does not say it
  double min_vpeak = 0;                           // km/s
  double min_stellar_mass = 0;  // Msun; a row is kept when its vpeak or its stellar mass reaches the minimum
  std::vector<std::string> drop = {};  // columns that are not read; not x, y, z, vpeak
  bool skip_bad_rows = false;          // leave out rows with a bad value instead of stopping
};

struct ImportReport {
  std::int64_t files = 0;          // camels: cubes
  std::int64_t read = 0;           // rows in the file
  std::int64_t wrapped = 0;        // positions outside the cube
  std::int64_t flagged = 0;        // um-bin: rows its own flags say to ignore
  std::int64_t motionless = 0;     // camels, um-bin: rows without a circular velocity, left out
  std::int64_t unmatched = 0;      // um-bin with hlist: galaxies without a halo there (orphans), left out
  std::int64_t bad_rows = 0;       // left out for a bad value
  std::vector<std::string> notes;  // sentences: what was assumed, and what was left out
};

// Every reader throws Error when no row is left, when a cut names a column that is not there, and where what
// the file says contradicts an option, its positions or another file. A bad value (NaN, negative, absurd) in
// a column that training does not need leaves out that column and says so; in another it is an error, or,
// with skip_bad_rows, leaves out the row.

/// consistent-trees hlist_<a>.list (Behroozi et al. 2013). The first line "#scale(0) id(1) ..." names the
/// columns, which are found by name since their numbers differ between simulations. Box size and cosmology
/// from the header lines.
Catalog read_hlist(const std::filesystem::path& path, const ImportOptions& options,
                   ImportReport* report = nullptr);

/// UniverseMachine sfr_catalog_<a>.bin (Behroozi et al. 2019): records of 128 bytes, little endian. Stellar
/// mass and SFR are the "observed" ones. The file has no Vpeak: without `hlist`, vpeak is vmp, the circular
/// velocity when the mass peaked, which is not larger; with it, the two are merged by id as the authors of
/// Nadler & To (2018) did, and vpeak, vacc, macc, spin and halfmass_scale come from there, and the box size,
/// too. Without both it is 250 Mpc/h, if the positions agree.
Catalog read_um_bin(const std::filesystem::path& path, const std::optional<std::filesystem::path>& hlist,
                    const ImportOptions& options, ImportReport* report = nullptr);

/// The comma-separated cache of the authors of Nadler & To (2018), merged_vpeak_150.cache: columns by name (X
/// Y Z Vpeak Vacc Mpeak Macc mvir Spin Halfmass_Scale upid obs_SM). Box size 250 Mpc/h unless given, if the
/// positions agree. obs_SM is taken as Msun, as UniverseMachine writes it; the division by h^2 in the
/// authors' code is not repeated.
Catalog read_umml_csv(const std::filesystem::path& path, const ImportOptions& options,
                      ImportReport* report = nullptr);

/// halotools HDF5: one table /data with columns halo_x ..., attributes Lbox and redshift.
Catalog read_halotools(const std::filesystem::path& path, const ImportOptions& options,
                       ImportReport* report = nullptr);

}  // namespace umbra
