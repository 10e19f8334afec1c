// Readers of catalogs of other codes, one function per format; all end with finish_import(). Errors state
// the file and the line or row.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/catalog.h"
#include "engine/base/stage.h"

namespace umbra {

/// The options of all readers.
struct ImportOptions {
  std::optional<double> box_size = std::nullopt;  ///< Mpc/h; needed if the file does not contain it
  double min_vpeak = 0;                           ///< km/s; see min_stellar_mass
  /// Msun. A row is kept when its vpeak or its stellar mass reaches the minimum; 0: no cut.
  double min_stellar_mass = 0;
  std::vector<std::string> drop = {};  ///< columns not to read; x, y, z and vpeak cannot be dropped
  bool skip_bad_rows = false;          ///< leave out rows with a bad value instead of throwing
  StageReport progress = {};           ///< receives how much of the input has been read
};

/// What a reader read, left out and assumed.
struct ImportReport {
  std::int64_t files = 0;       ///< CAMELS: number of cubes
  std::int64_t read = 0;        ///< rows in the file
  std::int64_t wrapped = 0;     ///< rows whose position was outside the cube and was wrapped
  std::int64_t flagged = 0;     ///< um-bin: rows left out because of their flags
  std::int64_t motionless = 0;  ///< CAMELS, um-bin: rows left out for lack of a circular velocity
  std::int64_t unmatched = 0;   ///< um-bin with hlist: galaxies left out for lack of a halo there (orphans)
  std::int64_t bad_rows = 0;    ///< rows left out for a bad value
  std::vector<std::string> notes;  ///< messages: what was assumed, and what was left out
};

// Every reader throws Error when no row is left, when a cut needs a column that is missing, and when the
// file contradicts an option, its positions or another file. A bad value (NaN, negative, absurd) in a
// column that training does not need leaves out that column, with a note; in another column it is an error
// or, with skip_bad_rows, leaves out the row.

/// Reads a consistent-trees catalog hlist_A.list, A the scale factor (Behroozi et al. 2013). The first line
/// `#scale(0) id(1) ...` names the columns; they are found by name because their numbers differ between
/// simulations. Box size and cosmology come from the header lines.
Catalog read_hlist(const std::filesystem::path& path, const ImportOptions& options,
                   ImportReport* report = nullptr);

/// Reads a UniverseMachine catalog sfr_catalog_A.bin, A the scale factor (Behroozi et al. 2019): records of
/// 128 bytes, little endian. Stellar mass and SFR are the "observed" ones. The file has no Vpeak. Without
/// `hlist`, vpeak is vmp, the circular velocity when the mass peaked, which is at most Vpeak. With it, the
/// two files are merged by id as in Nadler & To (2018), and vpeak, vacc, macc, spin, halfmass_scale and the
/// box size come from the hlist. With neither hlist nor ImportOptions::box_size the box size is 250 Mpc/h,
/// provided that the positions agree.
Catalog read_um_bin(const std::filesystem::path& path, const std::optional<std::filesystem::path>& hlist,
                    const ImportOptions& options, ImportReport* report = nullptr);

/// Reads the comma-separated cache of the authors of Nadler & To (2018), merged_vpeak_150.cache, with
/// columns by name (X Y Z Vpeak Vacc Mpeak Macc mvir Spin Halfmass_Scale upid obs_SM). The box size is 250
/// Mpc/h unless given, provided that the positions agree. obs_SM is in Msun, as UniverseMachine writes it;
/// the division by h^2 in the authors' code is not applied.
Catalog read_umml_csv(const std::filesystem::path& path, const ImportOptions& options,
                      ImportReport* report = nullptr);

/// Reads a halotools HDF5 file: one table /data with columns halo_x, halo_y, …, attributes Lbox and redshift.
Catalog read_halotools(const std::filesystem::path& path, const ImportOptions& options,
                       ImportReport* report = nullptr);

}  // namespace umbra
