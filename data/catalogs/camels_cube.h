// One simulation of a CAMELS set: a SUBFIND file as a catalog of one cube.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/import_rows.h"
#include "engine/io/hdf5.h"

namespace umbra {

/// The header of a SUBFIND file.
struct CamelsHeader {
  double box_size;        ///< Mpc/h
  bool in_mpc;            ///< whether BoxSize is in Mpc/h in the file; else it is in kpc/h
  double h,               ///< Hubble constant / (100 km/s/Mpc)
      omega_m,            ///< of matter, at z = 0
      omega_b,            ///< of baryons, at z = 0
      redshift;           ///< of the snapshot
  std::int64_t subhalos;  ///< rows of the subhalo tables
};

/// Reads the header. `box_size` in Mpc/h is used if the file has none. Throws Error when the file is not a
/// SUBFIND catalog or is only one part of a catalog.
CamelsHeader read_camels_header(const Hdf5File& file, std::optional<double> box_size);

/// The subhalos of one file as a catalog of one cube; ids start at `first_id`. Appends to `subhalos` the
/// index of every row in the file. `where`: the file, for messages. vdisp, rmax and angular_momentum are absent
/// where the file lacks them. Throws Error when other tables are missing or tables contradict each other.
Catalog read_camels_cube(const Hdf5File& file, const CamelsHeader& header, const ImportOptions& options,
                         std::int64_t first_id, const std::string& where, std::vector<std::int64_t>& subhalos,
                         ImportReport& report);

}  // namespace umbra
