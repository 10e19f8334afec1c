// The displaced particles: where they are, which cell holds them, and the density they make.
//
// A particle is the index of its lattice point, (x n + y) n + z; its position is computed on demand.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/mock/lpt.h"

namespace umbra::mock {

/// x, y, z in comoving Mpc/h.
using Position = std::array<double, 3>;

/// Wraps a coordinate into [0, size); a result that rounds to size becomes 0.
double wrap(double x, double size);
/// The squared distance in a periodic cube.
double squared_distance(const Position& a, const Position& b, double size);

/// The particles of a displaced lattice.
class Particles {
 public:
  /// The particles of a lattice of as many points as `displacement`.
  Particles(Displacement displacement, double box_size);

  /// The number of particles, n^3.
  std::int64_t count() const { return std::int64_t{n_} * n_ * n_; }
  double box_size() const { return box_size_; }  ///< Mpc/h
  /// The position of a particle, in [0, box_size)^3.
  Position position(std::int64_t particle) const;

 private:
  Displacement displacement_;
  double box_size_;
  int n_;
};

/// Particles grouped by cell of a mesh of `side`^3 cells, cell = (x side + y) side + z.
struct CellList {
  int side = 0;                          ///< cells per side
  std::vector<std::uint32_t> begin;      ///< [side^3 + 1], into `particles`
  std::vector<std::uint32_t> particles;  ///< [count], ascending within a cell
};
/// Sorts the particles into side^3 cells.
CellList group_by_cell(const Particles& particles, int side);

/// Cloud-in-cell overdensity 1 + delta on side^3 cells (Hockney & Eastwood 1981): a particle is a cube of the
/// size of a cell, shared among the eight cells it overlaps. The mean is 1.
std::vector<float> cloud_in_cell(const Particles& particles, int side);

}  // namespace umbra::mock
