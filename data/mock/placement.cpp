#include "data/mock/placement.h"

#include <algorithm>
#include <cmath>

#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

constexpr std::int64_t kReported = 1024;  // halos between two reports of progress
constexpr int kAttempts = 400;            // candidates looked at before a halo is put where it overlaps
constexpr double kTableRatio =
    0.95;                            // the cell probabilities are recomputed when V has fallen by this factor
constexpr double kLeastShare = 0.3;  // a halo heavier than its cell needs this share of it untouched

/// The halos placed so far, by cell, to find those near a point.
class Neighbourhood {
 public:
  Neighbourhood(int side, double box_size, double largest_radius)
      : side_(side),
        reach_(std::min(static_cast<int>(std::ceil(largest_radius * side / box_size)), (side - 1) / 2)),
        box_size_(box_size),
        first_(static_cast<std::size_t>(side) * side * side, -1) {}

  void add(std::int64_t cell, const Position& position, double radius) {
    next_.push_back(first_[static_cast<std::size_t>(cell)]);
    first_[static_cast<std::size_t>(cell)] = std::ssize(placed_);
    placed_.push_back({position, radius * radius});
  }

  /// Whether `position`, in `cell`, is inside the radius of a halo placed before.
  bool occupied(std::int64_t cell, const Position& position) const {
    const auto [cx, cy, cz] = coordinates(cell);
    for (int x = -reach_; x <= reach_; ++x)
      for (int y = -reach_; y <= reach_; ++y)
        for (int z = -reach_; z <= reach_; ++z)
          for (auto i = first_[index(cx + x, cy + y, cz + z)]; i >= 0;
               i = next_[static_cast<std::size_t>(i)]) {
            const auto& other = placed_[static_cast<std::size_t>(i)];
            if (squared_distance(other.position, position, box_size_) < other.squared_radius) return true;
          }
    return false;
  }

  std::array<int, 3> coordinates(std::int64_t cell) const {
    return {static_cast<int>(cell / side_ / side_), static_cast<int>(cell / side_ % side_),
            static_cast<int>(cell % side_)};
  }
  std::size_t index(int x, int y, int z) const {
    const auto inside = [&](int i) { return static_cast<std::size_t>((i + side_) % side_); };
    const auto side = static_cast<std::size_t>(side_);
    return (inside(x) * side + inside(y)) * side + inside(z);
  }

 private:
  struct Placed {
    Position position;
    double squared_radius;
  };
  int side_, reach_;
  double box_size_;
  std::vector<std::int64_t> first_, next_;  // linked lists: per cell, per halo
  std::vector<Placed> placed_;
};

/// Matter not yet in halos, by cell, Msun/h.
class Matter {
 public:
  Matter(const CellList& cells, double particle_mass) {
    for (std::size_t c = 0; c + 1 < cells.begin.size(); ++c)
      all_.push_back(static_cast<float>(particle_mass * (cells.begin[c + 1] - cells.begin[c])));
    left_ = all_;
  }

  bool has_room(std::size_t cell, double mass) const {
    return left_[cell] > 0 && left_[cell] >= std::min(mass, kLeastShare * all_[cell]);
  }

  void take(std::size_t cell, double mass) {
    left_[cell] = static_cast<float>(std::max(0.0, left_[cell] - mass));
  }

 private:
  std::vector<float> all_, left_;  // [cells]
};

/// Cumulative probabilities of the cells for halos of one velocity.
void fill_table(std::vector<double>& table, std::span<const float> density, const Matter& matter,
                double exponent, double mass) {
  parallel_chunks(std::ssize(table), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c)
      table[c] = matter.has_room(c, mass) ? std::pow(static_cast<double>(density[c]), exponent) : 0.0;
  });
  double sum = 0;
  for (double& entry : table) entry = sum += entry;
}

}  // namespace

double PlacementBias::exponent(double velocity) const {
  return std::max(lowest, at_150 + slope * std::log10(velocity / 150));
}

Placement place_centrals(const Particles& particles, const CellList& cells, std::span<const float> density,
                         const CentralHalos& halos, double mean_matter_density, const PlacementBias& bias,
                         std::uint64_t seed, const StageReport& progress) {
  const double box = particles.box_size();
  Matter matter(cells, mean_matter_density * box * box * box / static_cast<double>(particles.count()));
  const double largest =
      halos.radius.empty() ? 0 : *std::max_element(halos.radius.begin(), halos.radius.end());
  Neighbourhood placed(cells.side, box, largest);
  std::vector<double> table(density.size());
  double table_velocity = 0;
  Placement result;
  result.position.reserve(halos.velocity.size());
  const Rng all(seed, Purpose::kMockCentral);

  Stage stage(progress, "placing halos", std::ssize(halos.velocity));
  for (std::size_t i = 0; i < halos.velocity.size(); ++i) {
    if (i % kReported == 0 && i > 0) stage.add(kReported);
    if (i == 0 || halos.velocity[i] < kTableRatio * table_velocity) {
      table_velocity = halos.velocity[i];
      fill_table(table, density, matter, bias.exponent(table_velocity), halos.mass[i]);
    }
    const Rng rng = all.stream(static_cast<std::uint64_t>(halos.row[i]));
    Position position{};
    std::size_t cell = 0;
    bool free = false;
    for (std::uint64_t attempt = 0; attempt < kAttempts && !free; ++attempt) {
      const double chosen = rng.uniform(2 * attempt) * table.back();
      cell = static_cast<std::size_t>(std::upper_bound(table.begin(), table.end(), chosen) - table.begin());
      cell = std::min(cell, table.size() - 1);
      const std::uint32_t begin = cells.begin[cell], count = cells.begin[cell + 1] - begin;
      if (count == 0) continue;  // only if no cell has matter left: then the last one is chosen
      position = particles.position(cells.particles[begin + rng.below(2 * attempt + 1, count)]);
      free =
          matter.has_room(cell, halos.mass[i]) && !placed.occupied(static_cast<std::int64_t>(cell), position);
    }
    if (!free) {
      // No place is left: a random particle of the box, so that at least the mean density is right.
      ++result.crowded;
      const auto particle =
          rng.below(std::uint64_t{2} * kAttempts, static_cast<std::uint64_t>(particles.count()));
      position = particles.position(static_cast<std::int64_t>(particle));
      const double per_length = cells.side / box;
      cell =
          placed.index(static_cast<int>(position[0] * per_length), static_cast<int>(position[1] * per_length),
                       static_cast<int>(position[2] * per_length));
    }
    matter.take(cell, halos.mass[i]);
    placed.add(static_cast<std::int64_t>(cell), position, halos.radius[i]);
    result.position.push_back(position);
  }
  return result;
}

}  // namespace umbra::mock
