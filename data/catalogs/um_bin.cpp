#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "data/catalogs/formats.h"
#include "data/catalogs/import_rows.h"
#include "data/catalogs/recognise.h"
#include "engine/base/error.h"
#include "engine/io/text_reader.h"

namespace umbra {
namespace {

constexpr double kBoxSize = 250.0;  // Bolshoi-Planck, Mpc/h
constexpr std::int32_t kIgnore = 16;
constexpr std::int64_t kOrphans = 1'000'000'000'000'000;  // ids above belong to galaxies without a halo

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
static_assert(std::endian::native == std::endian::little,
              "the records are copied from the file without conversion");

// Appends records to the columns that are not dropped.
class Columns {
 public:
  Columns(const ImportOptions& options, Catalog& catalog) {
    const auto numbers = [&](const char* name) {
      return is_dropped(options, name) ? nullptr : &catalog.columns[name];
    };
    const auto integers = [&](const char* name) {
      return is_dropped(options, name) ? nullptr : &catalog.integers[name];
    };
    for (std::size_t i = 0; i < kNames.size(); ++i) numbers_[i] = numbers(kNames[i]);
    id_ = integers("id");
    upid_ = integers("upid");
  }
  void append(const Record& r) {
    const float values[] = {r.position[0], r.position[1], r.position[2],   r.vmp,
                            r.mp,          r.m,           r.observed_mass, r.observed_sfr};
    for (std::size_t i = 0; i < kNames.size(); ++i)
      if (numbers_[i]) numbers_[i]->push_back(double{values[i]});
    if (id_) id_->push_back(r.id);
    if (upid_) upid_->push_back(r.upid);
  }

 private:
  static constexpr std::array<const char*, 8> kNames = {
      "x", "y", "z", "vpeak", "mpeak", "mvir", "stellar_mass", "sfr"};
  std::array<std::vector<double>*, 8> numbers_;
  std::vector<std::int64_t>*id_, *upid_;
};

// Reads all records except those that are flagged or, if `moving`, have no velocity. `kept` gets their
// numbers.
Catalog read_records(const std::filesystem::path& path, const ImportOptions& options, bool moving,
                     std::vector<std::int64_t>& kept, ImportReport& report) {
  const std::string where = concat("file '", path.string(), "'");
  ByteReader bytes(path);
  Catalog catalog;
  Columns columns(options, catalog);
  std::vector<Record> part(1024);
  std::size_t got = 0, all = 0;
  Stage stage(options.progress, "reading", bytes_to_read(path));
  while ((got = bytes.read(part.data(), part.size() * sizeof(Record))) > 0) {
    all += got;
    stage.add(static_cast<std::int64_t>(got));
    for (std::size_t i = 0; i < got / sizeof(Record); ++i, ++report.read) {
      const bool flagged = (part[i].flags & kIgnore) != 0, still = moving && part[i].vmp == 0;
      report.flagged += flagged ? 1 : 0;
      report.motionless += !flagged && still ? 1 : 0;
      if (flagged || still) continue;
      columns.append(part[i]);
      kept.push_back(report.read);
    }
    if (got % sizeof(Record) != 0) break;
  }
  require(all > 0 && all % sizeof(Record) == 0, where, " has ", all, " bytes, a multiple of ", sizeof(Record),
          " is expected of a UniverseMachine sfr_catalog: it is truncated or has another format");
  return catalog;
}

// The records as a table, for `info`.
class UmBinTable final : public Table {
 public:
  UmBinTable(const std::filesystem::path& path, std::int64_t records) : path_(path), records_(records) {
    what_ = "records of 128 bytes";
    for (const char* name : {"x", "y", "z", "vmp", "mp", "m", "obs_sm", "obs_sfr", "id", "upid"})
      columns_.push_back({name, ""});
  }
  std::optional<std::int64_t> rows() const override { return records_; }
  TableData read(const TableRequest& request) override {
    TableData rows;
    rows.read = std::min(records_, request.most_rows);
    rows.is_complete = rows.read == records_;
    rows.numbers.resize(request.numbers.size());
    rows.integers.resize(request.integers.size());
    ByteReader bytes(path_);
    Record r;
    for (std::int64_t i = 0; i < rows.read && bytes.read(&r, sizeof r) == sizeof r; ++i) {
      const float values[] = {r.position[0], r.position[1], r.position[2],   r.vmp,
                              r.mp,          r.m,           r.observed_mass, r.observed_sfr};
      const std::int64_t ids[] = {r.id, r.upid};
      for (std::size_t k = 0; k < request.numbers.size(); ++k)
        rows.numbers[k].push_back(request.numbers[k] < std::size(values)
                                      ? double{values[request.numbers[k]]}
                                      : static_cast<double>(ids[request.numbers[k] - std::size(values)]));
      for (std::size_t k = 0; k < request.integers.size(); ++k)
        rows.integers[k].push_back(ids[request.integers[k] - std::size(values)]);
    }
    return rows;
  }
  // Whether the first record could be a galaxy.
  bool is_plausible() {
    const TableData first = read({.numbers = {0, 1, 2, 3, 4, 5, 6}, .integers = {9}, .most_rows = 1});
    constexpr double kFarthest = 1e4, kLargest = 1e20;  // Mpc/h; any other column
    for (std::size_t k = 0; k < first.numbers.size(); ++k)
      if (!(std::abs(first.numbers[k][0]) < (k < 3 ? kFarthest : kLargest))) return false;
    return first.numbers[4][0] > 0 && first.integers[0][0] >= -1;
  }

 private:
  std::filesystem::path path_;
  std::int64_t records_;
};

// Checks that both files have the same scale factor, if the name of the first has one.
void check_scale(const std::filesystem::path& galaxies, const std::filesystem::path& hlist,
                 const Catalog& halos) {
  const auto scale = scale_in_name(galaxies, "sfr_catalog_");
  const double of_halos = 1 / (1 + halos.redshift);
  require(!scale || scale->agrees_with(of_halos), "file '", galaxies.string(), "' has the scale factor ",
          scale ? scale->value : 0, " in its name, but the hlist '", hlist.string(), "' has ", of_halos);
}

// Checks that galaxies are at the positions of their halos. Another simulation can have the same ids.
class PositionCheck {
 public:
  PositionCheck(const Catalog& galaxies, const Catalog& halos) : galaxies_(galaxies), halos_(halos) {}
  void add(std::size_t galaxy, std::size_t halo) {
    constexpr double kFar = 0.01;  // of a side
    double largest = 0;
    for (const char* axis : {"x", "y", "z"}) {
      const double d = std::abs(galaxies_.column(axis)[galaxy] - halos_.column(axis)[halo]);
      largest = std::max(largest, std::min(d, std::abs(halos_.box_size - d)));
    }
    ++pairs_;
    far_ += largest > kFar * halos_.box_size ? 1 : 0;
  }
  void finish(const std::string& where, const std::string& hlist) const {
    constexpr std::int64_t kEnough = 100;
    require(pairs_ < kEnough || far_ <= pairs_ / 20, where, ": ", far_, " of ", pairs_,
            " galaxies are not at the position of the halo with the same id in the hlist '", hlist,
            "': it belongs to another simulation");
  }

 private:
  const Catalog &galaxies_, &halos_;
  std::int64_t pairs_ = 0, far_ = 0;
};

// With matches for fewer than one in a hundred rows of the smaller file, the files do not belong together.
void check_matches(std::size_t matched, std::size_t galaxies, std::size_t halos, const std::string& where,
                   const std::string& hlist) {
  require(100 * matched >= std::min(galaxies, halos) && matched > 0, where, ": of ", galaxies, " galaxies ",
          matched, " have a halo among the ", halos, " of the hlist '", hlist,
          "': it belongs to another time or simulation");
}

// Keeps the galaxies that have a halo in `halos`, with the columns of the halo.
void merge(Catalog& galaxies, std::vector<std::int64_t>& kept, const Catalog& halos, const std::string& where,
           const std::string& hlist, ImportReport& report) {
  std::unordered_map<std::int64_t, std::size_t> row_of;
  const auto halo_id = halos.integer_column("id");
  for (std::size_t row = 0; row < halo_id.size(); ++row)
    if (!row_of.emplace(halo_id[row], row).second)
      fail("file '", hlist, "' has the halo ", halo_id[row], " twice");
  const std::array<const char*, 5> from_hlist = {"vpeak", "vacc", "macc", "spin", "halfmass_scale"};
  Catalog merged = galaxies;
  for (auto& [name, values] : merged.columns) values.clear();
  for (auto& [name, values] : merged.integers) values.clear();
  std::vector<std::int64_t> still_kept;
  std::vector<bool> has_galaxy(halo_id.size(), false);
  std::int64_t lacking = 0;
  PositionCheck positions(galaxies, halos);
  const auto id = galaxies.integer_column("id");
  for (std::size_t row = 0; row < id.size(); ++row) {
    const auto halo = row_of.find(id[row]);
    if (halo == row_of.end()) {
      ++report.unmatched;
      lacking += id[row] <= kOrphans ? 1 : 0;
      continue;
    }
    require(!has_galaxy[halo->second], where, " has the galaxy ", id[row], " twice");
    has_galaxy[halo->second] = true;
    positions.add(row, halo->second);
    still_kept.push_back(kept[row]);
    for (const auto& [name, values] : galaxies.columns)
      if (name != "vpeak") merged.columns[name].push_back(values[row]);
    for (const auto& [name, values] : galaxies.integers) merged.integers[name].push_back(values[row]);
    for (const char* name : from_hlist)
      if (halos.has(name)) merged.columns[name].push_back(halos.column(name)[halo->second]);
  }
  check_matches(still_kept.size(), id.size(), halo_id.size(), where, hlist);
  positions.finish(where, hlist);
  if (lacking > 0)
    report.notes.push_back(concat(lacking,
                                  " of the galaxies without a halo are no orphans (id below 1e15): '", hlist,
                                  "' lacks their halos, because it was cut or is incomplete"));
  galaxies = std::move(merged);
  kept = std::move(still_kept);
}

// Takes Vpeak, the other columns and the box from the hlist `path`.
void take_halos(const std::filesystem::path& galaxies, const std::filesystem::path& path,
                const ImportOptions& options, Catalog& catalog, std::vector<std::int64_t>& kept,
                ImportReport& report) {
  require(!is_dropped(options, "id"), "--drop id: galaxies and halos are merged by it");
  ImportReport of_halos;
  const ImportOptions halo_options{.box_size = options.box_size,
                                   .drop = options.drop,
                                   .skip_bad_rows = options.skip_bad_rows,
                                   .progress = options.progress};
  const Catalog halos = read_hlist(path, halo_options, &of_halos);
  for (const std::string& note : of_halos.notes)
    report.notes.push_back(path.filename().string() + ": " + note);
  report.bad_rows += of_halos.bad_rows;
  check_scale(galaxies, path, halos);
  catalog.box_size = halos.box_size;
  catalog.cosmology = halos.cosmology;
  catalog.redshift = halos.redshift;
  const std::string where = concat("file '", galaxies.string(), "'");
  require(catalog.rows() > 0, where, ": all ", report.read, " galaxies are flagged to be ignored");
  merge(catalog, kept, halos, where, path.string(), report);
}

}  // namespace

Catalog read_um_bin(const std::filesystem::path& path, const std::optional<std::filesystem::path>& hlist,
                    const ImportOptions& options, ImportReport* report) {
  check_options(options);
  const std::string where = concat("file '", path.string(), "'");
  ImportReport result;
  std::vector<std::int64_t> kept;
  Catalog catalog = read_records(path, options, /*moving=*/!hlist, kept, result);
  catalog.source = "UniverseMachine " + path.filename().string() + ", observed stellar masses; vpeak is ";
  if (hlist) {
    take_halos(path, *hlist, options, catalog, kept, result);
    catalog.source +=
        "Vpeak of " + hlist->filename().string() + "; galaxies without a halo there are left out";
  } else {
    catalog.box_size = settled_box_size(options, std::nullopt, kBoxSize, where, result);
    note_assumed_cosmology(catalog, result);
    const auto scale = scale_in_name(path, "sfr_catalog_");
    if (scale) catalog.redshift = 1 / scale->value - 1;
    result.notes.push_back(concat("the redshift is not in the file; ", catalog.redshift, " is assumed",
                                  scale ? ", from its name" : ""));
    catalog.source += "vmp, Vmax when the mass peaked";
    result.notes.push_back(
        "vpeak is vmp, Vmax when the mass peaked, which is at most Vpeak; --hlist gives Vpeak");
  }
  ImportRows rows{where, [&](std::size_t row) { return concat("record ", kept[row], " (from 0)"); }};
  rows.needed = {"stellar_mass", "id"};
  rows.box_size_assumed = !hlist && !options.box_size;
  finish_import(catalog, rows, options, result);
  if (report) *report = result;
  return catalog;
}

std::optional<Recognised> recognise_um_bin(const FileLook& file) {
  if (file.content() != Content::kOther) return std::nullopt;
  const std::uintmax_t bytes = std::filesystem::file_size(file.path());
  if (bytes == 0 || bytes % sizeof(Record) != 0) return std::nullopt;
  auto table = std::make_unique<UmBinTable>(file.path(), static_cast<std::int64_t>(bytes / sizeof(Record)));
  if (!table->is_plausible()) return std::nullopt;
  Recognised found{std::move(table)};
  found.how.columns = "x=x,y=y,z=z,vpeak=vmp,mpeak=mp,mvir=m,id=id,upid=upid,stellar_mass=obs_sm,sfr=obs_sfr";
  found.usual_box_size = kBoxSize;
  found.skips_motionless = true;
  if (const auto scale = scale_in_name(file.path(), "sfr_catalog_"))
    found.header.redshift = 1 / scale->value - 1;
  return found;
}

}  // namespace umbra
