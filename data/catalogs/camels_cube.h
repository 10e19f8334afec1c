// One simulation of a CAMELS set: a SUBFIND file as a catalog of one cube.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/catalogs/import_rows.h"
#include "engine/io/hdf5.h"

namespace umbra {

struct CamelsHeader {
  double box_size;  // Mpc/h
  bool in_mpc;      // as the file has it
  double h, omega_m, omega_b, redshift;
  std::int64_t subhalos;
};

/// Throws Error when the file is no SUBFIND catalog or holds but a part of one. `box_size`, Mpc/h, is taken
/// where the file has none.
CamelsHeader read_camels_header(const Hdf5File& file, std::optional<double> box_size);

/// The subhalos of one file as a catalog of one cube; ids begin at `first_id`. `subhalos` gets the place in
/// the file of every row.
Catalog read_camels_cube(const Hdf5File& file, const CamelsHeader& header, const ImportOptions& options,
                         std::int64_t first_id, const std::string& where, std::vector<std::int64_t>& subhalos,
                         ImportReport& report);

}  // namespace umbra
