// A halo catalog: one column per property, one row per (sub)halo, over one or many periodic cubes.
//
// On disk (catalog.h5): group /halos with one 1-D dataset per column, each with an attribute `unit`;
// columns may be absent. Root attributes: box_size, boxes, h, omega_m, omega_b, sigma_8, n_s, redshift,
// source, umbra_version. Where the cubes differ in their parameters, group /boxes holds one 1-D dataset per
// parameter, one number per cube. In h5py:
//
//   f = h5py.File("catalog.h5"); v = f["halos/vpeak"][:]; print(f["halos/vpeak"].attrs["unit"].decode())
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// A column that catalogs may have.
struct ColumnKind {
  std::string_view name;  ///< in Catalog::columns or Catalog::integers
  std::string_view unit;  ///< "1" for a dimensionless column
  /// The values that are allowed.
  enum class Check {
    kPosition,               ///< up to 5 % of a side outside the cube
    kPositive,               ///< finite and above 0
    kNonNegative,            ///< finite and at least 0
    kInteger                 ///< stored as an integer
  } check;                   ///< of this column
  std::string_view meaning;  ///< one line for documentation and files
};

/// All columns, in the order in which they are written:
///
///     x y z [Mpc/h, comoving]  vpeak vacc [km/s]  mpeak macc mvir [Msun/h]  vdisp [km/s, along one axis]
///     rmax [kpc/h, comoving]  angular_momentum [km/s kpc/h]  spin  halfmass_scale  upid (-1 for a central)
///     id  box (which cube, from 0)  stellar_mass [Msun]  sfr [Msun/yr]
std::span<const ColumnKind> column_kinds();
/// The column called `name`. Throws Error with the known columns when there is none.
const ColumnKind& column_kind(std::string_view name);

/// Parameters of a flat cosmology. The defaults are those of Bolshoi-Planck.
struct Cosmology {
  double h = 0.678;        ///< Hubble constant / (100 km/s/Mpc)
  double omega_m = 0.307;  ///< matter density at z = 0 over the critical density
  double omega_b = 0.048;  ///< baryon density at z = 0 over the critical density
  double sigma_8 = 0.823;  ///< r.m.s. linear overdensity in spheres of 8 Mpc/h at z = 0
  double n_s = 0.96;       ///< spectral index
};

/// A catalog in memory.
struct Catalog {
  double box_size = 0;     ///< side of each periodic cube, comoving Mpc/h
  std::int64_t boxes = 1;  ///< number of cubes
  double redshift = 0;     ///< of the snapshot
  Cosmology cosmology;     ///< of the simulation; the mean where cubes differ
  std::string source;      ///< one line: the origin of the numbers

  std::map<std::string, std::vector<double>, std::less<>> columns;         ///< floating-point columns
  std::map<std::string, std::vector<std::int64_t>, std::less<>> integers;  ///< id, upid, box

  /// Optional: simulation parameters that differ from cube to cube, by name, [boxes] each.
  std::map<std::string, std::vector<double>, std::less<>> box_parameters;

  /// Datasets next to the columns in a file whose names are not those of columns.
  std::vector<std::string> unread;

  /// The number of rows: the length of the column x.
  std::int64_t rows() const;
  /// Whether there is such a column, of either type.
  bool has(std::string_view column) const;
  /// A floating-point column. Throws Error with the columns present when there is none.
  std::span<const double> column(std::string_view name) const;
  /// An integer column. Throws Error with the columns present when there is none.
  std::span<const std::int64_t> integer_column(std::string_view name) const;
  /// For messages about a missing column: "; did you mean 'v_peak'?" if the file has a dataset of a similar name.
  std::string hint(std::string_view missing) const;
};

/// What validation changed.
struct CatalogReport {
  std::int64_t wrapped = 0;             ///< rows whose position was outside [0, box_size) and was wrapped
  std::vector<std::string> notes = {};  ///< columns that were read under another spelling
  /// Everything, as sentences for the user.
  std::vector<std::string> remarks() const;
};

/// Checks shapes, ranges and finiteness of every column and wraps positions into [0, box_size).
/// Throws Error with `where`, the column, the row and what was expected.
CatalogReport validate(Catalog& catalog, std::string_view where);

/// Reads and validates a catalog file. The file may have floating-point columns as f32 or f64, integers as
/// i32 or i64. Throws Error with the file and what was expected.
Catalog read_catalog(const std::filesystem::path& path, CatalogReport* report = nullptr);

/// Writes a catalog to a temporary file and renames it: either the whole file appears or none.
/// Floating-point columns are stored as f32 except positions (f64), integers as i64. Throws Error when the
/// catalog is not valid or the file cannot be written.
void write_catalog(const std::filesystem::path& path, const Catalog& catalog);

}  // namespace umbra
