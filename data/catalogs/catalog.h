// A halo catalog: one column per property, one row per (sub)halo, over one or many periodic cubes.
//
// On disk (catalog.h5): group /halos with one 1-D dataset per column, each with an attribute `unit`; absent columns
// are absent. Root attributes: box_size, boxes, h, omega_m, omega_b, sigma_8, n_s, redshift, source, umbra_version.
// Where the cubes differ in their parameters, group /boxes holds one 1-D dataset per parameter, one number per cube.
// In h5py:  f = h5py.File("catalog.h5"); v = f["halos/vpeak"][:]; print(f["halos/vpeak"].attrs["unit"].decode())
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// What a column may be called, its unit, and whether it must be finite and positive.
struct ColumnKind {
  std::string_view name;
  std::string_view unit;
  enum class Check { kPosition, kPositive, kNonNegative, kInteger } check;
  std::string_view meaning;
};

/// Every column umbra knows, in the order in which they are written:
///   x y z [Mpc/h, comoving]  vpeak vacc [km/s]  mpeak macc mvir [Msun/h]  spin  halfmass_scale
///   upid (-1 for a central)  id  box (which cube, from 0)  stellar_mass [Msun]  sfr [Msun/yr]
std::span<const ColumnKind> column_kinds();
/// The kind called `name`; throws Error naming the known columns.
const ColumnKind& column_kind(std::string_view name);

struct Cosmology {
  double h = 0.678;  // Hubble constant / (100 km/s/Mpc)
  double omega_m = 0.307;
  double omega_b = 0.048;
  double sigma_8 = 0.823;
  double n_s = 0.96;
};

struct Catalog {
  double box_size = 0;     // side of each periodic cube, comoving Mpc/h
  std::int64_t boxes = 1;  // number of cubes
  double redshift = 0;
  Cosmology cosmology;
  std::string source;  // one line: where the numbers come from

  std::map<std::string, std::vector<double>, std::less<>> columns;         // floating-point columns
  std::map<std::string, std::vector<std::int64_t>, std::less<>> integers;  // id, upid, box

  // Optional: simulation parameters that differ from cube to cube, by name, [boxes] each; group /boxes on disk.
  std::map<std::string, std::vector<double>, std::less<>> box_parameters;

  std::int64_t rows() const;
  bool has(std::string_view column) const;
  /// A floating-point column; throws Error with a sentence naming the column and those present.
  std::span<const double> column(std::string_view name) const;
  std::span<const std::int64_t> integer_column(std::string_view name) const;
};

/// What validation changed or noticed, for the user to read.
struct CatalogReport {
  std::int64_t wrapped = 0;  // rows whose position lay outside [0, box_size) and was wrapped
};

/// Checks shapes, ranges and finiteness of every column and wraps positions into [0, box_size).
/// Throws Error naming `where`, the column, the row and what was expected.
CatalogReport validate(Catalog& catalog, std::string_view where);

/// Reads and validates a catalog file. Floating-point columns are stored as f32 or f64, integers as i32 or i64.
Catalog read_catalog(const std::filesystem::path& path, CatalogReport* report = nullptr);

/// Writes a catalog aside and renames it into place: either the whole file appears or nothing does.
/// Floating-point columns are stored as f32 except positions (f64), integers as i64.
void write_catalog(const std::filesystem::path& path, const Catalog& catalog);

}  // namespace umbra
