#include "data/mock/density.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

constexpr std::int64_t kGrain = 1 << 16;  // particles per chunk

/// The two cells along one axis that a cloud centred at `x` (in cells) overlaps, and the share of the second.
struct Overlap {
  int low, high;
  double high_share;
};
Overlap overlap(double x, int side) {
  const double shifted = x - 0.5 + side;  // cell centres lie at half integers; side keeps it positive
  const double floor = std::floor(shifted);
  const int low = static_cast<int>(floor) % side;
  return {low, (low + 1) % side, shifted - floor};
}

}  // namespace

double wrap(double x, double size) {
  const double wrapped = x - size * std::floor(x / size);
  return wrapped < size && wrapped >= 0 ? wrapped : 0.0;
}

double squared_distance(const Position& a, const Position& b, double size) {
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double d = std::abs(a[i] - b[i]), near = std::min(d, size - d);
    sum += near * near;
  }
  return sum;
}

Particles::Particles(Displacement displacement, double box_size)
    : displacement_(std::move(displacement)), box_size_(box_size), n_(displacement_.x.n()) {}

Position Particles::position(std::int64_t particle) const {
  const int z = static_cast<int>(particle % n_), y = static_cast<int>(particle / n_ % n_),
            x = static_cast<int>(particle / n_ / n_);
  const double spacing = box_size_ / n_;
  return {wrap(x * spacing + displacement_.x.row(x, y)[z], box_size_),
          wrap(y * spacing + displacement_.y.row(x, y)[z], box_size_),
          wrap(z * spacing + displacement_.z.row(x, y)[z], box_size_)};
}

CellList group_by_cell(const Particles& particles, int side) {
  const std::int64_t count = particles.count();
  const double per_length = side / particles.box_size();
  std::vector<std::uint32_t> cell(static_cast<std::size_t>(count));
  parallel_chunks(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      std::int64_t index = 0;
      for (double x : particles.position(p))
        index = index * side + std::min(static_cast<int>(x * per_length), side - 1);
      cell[static_cast<std::size_t>(p)] = static_cast<std::uint32_t>(index);
    }
  });
  // A counting sort. It runs on one thread, so that a cell lists its particles in ascending order.
  CellList list;
  list.side = side;
  list.begin.assign(static_cast<std::size_t>(side) * side * side + 2, 0);
  for (std::uint32_t c : cell) ++list.begin[c + 2];
  for (std::size_t c = 2; c < list.begin.size(); ++c) list.begin[c] += list.begin[c - 1];
  list.particles.resize(cell.size());
  for (std::size_t p = 0; p < cell.size(); ++p)
    list.particles[list.begin[cell[p] + 1]++] = static_cast<std::uint32_t>(p);
  list.begin.pop_back();
  return list;
}

std::vector<float> cloud_in_cell(const Particles& particles, int side) {
  // Sums of integers do not depend on their order, so all threads share one mesh: a particle is 2^24 units.
  constexpr double kUnits = 1 << 24;
  std::vector<std::uint64_t> mesh(static_cast<std::size_t>(side) * side * side);
  const double per_length = side / particles.box_size();
  parallel_chunks(particles.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const Position position = particles.position(p);
      const Overlap x = overlap(position[0] * per_length, side), y = overlap(position[1] * per_length, side),
                    z = overlap(position[2] * per_length, side);
      for (const auto& [i, wx] : {std::pair{x.low, 1 - x.high_share}, {x.high, x.high_share}})
        for (const auto& [j, wy] : {std::pair{y.low, 1 - y.high_share}, {y.high, y.high_share}})
          for (const auto& [k, wz] : {std::pair{z.low, 1 - z.high_share}, {z.high, z.high_share}}) {
            auto& cell = mesh[(static_cast<std::size_t>(i) * side + j) * side + k];
            std::atomic_ref(cell).fetch_add(static_cast<std::uint64_t>(std::llround(wx * wy * wz * kUnits)),
                                            std::memory_order_relaxed);
          }
    }
  });
  const double mean = kUnits * static_cast<double>(particles.count()) / static_cast<double>(mesh.size());
  std::vector<float> density(mesh.size());
  for (std::size_t c = 0; c < mesh.size(); ++c)
    density[c] = static_cast<float>(static_cast<double>(mesh[c]) / mean);
  return density;
}

}  // namespace umbra::mock
