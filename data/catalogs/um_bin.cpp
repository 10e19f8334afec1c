#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <unordered_map>

#include "data/catalogs/formats.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr double kBoxSize = 250.0;  // Bolshoi-Planck, Mpc/h
constexpr std::int32_t kIgnore = 16;

// The C struct of the public release; 124 bytes of fields and 4 of padding.
struct Record {
  std::int64_t id, descendant, upid;
  std::int32_t flags;
  float parent_distance;
  float position[6];                // Mpc/h comoving, km/s
  float vmp, log_vmp, mp, m, v, r;  // velocities km/s, masses Msun/h
  float rank1, rank2, ra, rarank, uv_attenuation;
  float stellar_mass, icl, sfr;  // true: Msun, Msun, Msun/yr
  float observed_mass, observed_sfr, observed_uv;
  char padding[4];
};
static_assert(sizeof(Record) == 128);
static_assert(std::endian::native == std::endian::little, "the records are copied as they stand in the file");

void append(const Record& r, Catalog& catalog) {
  const std::pair<const char*, float> values[] = {{"x", r.position[0]},
                                                  {"y", r.position[1]},
                                                  {"z", r.position[2]},
                                                  {"vpeak", r.vmp},
                                                  {"mpeak", r.mp},
                                                  {"mvir", r.m},
                                                  {"stellar_mass", r.observed_mass},
                                                  {"sfr", r.observed_sfr}};
  for (const auto& [name, value] : values) catalog.columns[name].push_back(double{value});
  catalog.integers["id"].push_back(r.id);
  catalog.integers["upid"].push_back(r.upid);
}

// Keeps the galaxies that have a halo in `halos` and takes over its columns.
void merge(Catalog& galaxies, const Catalog& halos, ImportReport& report) {
  std::unordered_map<std::int64_t, std::size_t> row_of;
  const auto halo_id = halos.integer_column("id");
  for (std::size_t row = 0; row < halo_id.size(); ++row)
    require(row_of.emplace(halo_id[row], row).second, "the hlist names the halo ", halo_id[row], " twice");
  const std::array<const char*, 5> from_hlist = {"vpeak", "vacc", "macc", "spin", "halfmass_scale"};
  Catalog merged = galaxies;
  for (auto& [name, values] : merged.columns) values.clear();
  for (auto& [name, values] : merged.integers) values.clear();
  const auto id = galaxies.integer_column("id");
  for (std::size_t row = 0; row < id.size(); ++row) {
    const auto halo = row_of.find(id[row]);
    if (halo == row_of.end()) {
      ++report.unmatched;
      continue;
    }
    for (const auto& [name, values] : galaxies.columns)
      if (name != "vpeak") merged.columns[name].push_back(values[row]);
    for (const auto& [name, values] : galaxies.integers) merged.integers[name].push_back(values[row]);
    for (const char* name : from_hlist)
      if (halos.has(name)) merged.columns[name].push_back(halos.column(name)[halo->second]);
  }
  galaxies = std::move(merged);
}

}  // namespace

Catalog read_um_bin(const std::filesystem::path& path, const std::optional<std::filesystem::path>& hlist,
                    const ImportOptions& options, ImportReport* report) {
  const std::string where = concat("file '", path.string(), "'");
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  require(!error, where, " does not exist or is not a file");
  require(bytes > 0 && bytes % sizeof(Record) == 0, where, " has ", bytes, " bytes, a multiple of ", sizeof(Record),
          " is expected of a UniverseMachine sfr_catalog: it is cut short or another format");
  std::ifstream stream(path, std::ios::binary);
  Catalog catalog;
  for (const char* name : {"x", "y", "z", "vpeak", "mpeak", "mvir", "stellar_mass", "sfr"})
    catalog.columns[name];
  for (const char* name : {"id", "upid"}) catalog.integers[name];
  ImportReport result;
  std::array<char, sizeof(Record)> buffer;
  for (; result.read < static_cast<std::int64_t>(bytes / sizeof(Record)); ++result.read) {
    require(bool(stream.read(buffer.data(), buffer.size())), where, " cannot be read");
    Record record;
    std::memcpy(&record, buffer.data(), sizeof record);
    if ((record.flags & kIgnore) != 0) {
      ++result.flagged;
      continue;
    }
    append(record, catalog);
  }
  catalog.box_size = options.box_size.value_or(kBoxSize);
  catalog.source = "UniverseMachine " + path.filename().string() + ", observed stellar masses; vpeak is ";
  if (hlist) {
    const Catalog halos = read_hlist(*hlist, {.box_size = catalog.box_size}, nullptr);
    catalog.cosmology = halos.cosmology;
    catalog.redshift = halos.redshift;
    merge(catalog, halos, result);
    catalog.source +=
        "Vpeak of " + hlist->filename().string() + "; galaxies without a halo there are left out";
  } else {
    catalog.source += "vmp, Vmax when the mass peaked";
  }
  result.wrapped = validate(catalog, where).wrapped;
  apply_cuts(catalog, options);
  if (report) *report = result;
  return catalog;
}

}  // namespace umbra
