// Seeds written with the HDF5 library itself, as foreign programs do.
#include <hdf5.h>

#include <utility>

#include "engine/base/error.h"
#include "engine/io/hdf5.h"
#include "tests/mutated/seeds.h"

namespace umbra::mutated {
namespace {

// An identifier of the library, released at the end of the scope.
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) { require(id >= 0, "a seed file cannot be made"); }
  ~Handle() { H5Idec_ref(id_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
};

void must(herr_t status) {
  require(status >= 0, "a seed file cannot be written");
}

void write_text(hid_t object, const char* key, const std::string& text) {
  const Handle type(H5Tcopy(H5T_C_S1)), scalar(H5Screate(H5S_SCALAR));
  must(H5Tset_size(type, H5T_VARIABLE));
  const Handle attribute(H5Acreate2(object, key, type, scalar, H5P_DEFAULT, H5P_DEFAULT));
  const char* characters = text.c_str();
  must(H5Awrite(attribute, type, &characters));
}

void copy_attribute(hid_t from, hid_t to) {
  std::string name(256, '\0');
  name.resize(static_cast<std::size_t>(H5Aget_name(from, name.size(), name.data())));
  const Handle type(H5Aget_type(from)), space(H5Aget_space(from));
  const auto elements = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  std::string bytes(elements * H5Tget_size(type), '\0');
  must(H5Aread(from, type, bytes.data()));
  if (H5Tget_class(type) == H5T_STRING) return write_text(to, name.c_str(), bytes);
  const Handle copy(H5Acreate2(to, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  must(H5Awrite(copy, type, bytes.data()));
}

void copy_attributes(hid_t from, hid_t to) {
  const int count = H5Aget_num_attrs(from);
  for (int i = 0; i < count; ++i) {
    const Handle attribute(H5Aopen_by_idx(from, ".", H5_INDEX_NAME, H5_ITER_INC, static_cast<hsize_t>(i),
                                          H5P_DEFAULT, H5P_DEFAULT));
    copy_attribute(attribute, to);
  }
}

void copy_dataset(hid_t from_file, hid_t to_file, const std::string& name, bool compressed) {
  const Handle from(H5Dopen2(from_file, name.c_str(), H5P_DEFAULT));
  const Handle type(H5Dget_type(from)), space(H5Dget_space(from)), how(H5Pcreate(H5P_DATASET_CREATE));
  must(H5Pset_obj_track_times(how, false));  // the same seeds every time
  hsize_t extents[H5S_MAX_RANK] = {};
  const int rank = H5Sget_simple_extent_dims(space, extents, nullptr);
  const auto elements = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  if (compressed && rank > 0 && elements > 0) {
    extents[0] = (extents[0] + 1) / 2;
    must(H5Pset_chunk(how, rank, extents));
    must(H5Pset_shuffle(how));
    must(H5Pset_deflate(how, 4));
  }
  const Handle to(H5Dcreate2(to_file, name.c_str(), type, space, H5P_DEFAULT, how, H5P_DEFAULT));
  std::vector<char> bytes(elements * H5Tget_size(type));
  must(H5Dread(from, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()));
  must(H5Dwrite(to, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()));
  copy_attributes(from, to);
}

// Every object below a group, groups before their members: path and kind.
void collect(const Hdf5File& file, const std::string& group, std::vector<Hdf5Entry>& entries) {
  for (Hdf5Entry entry : file.list(group)) {
    entry.name = group == "/" ? entry.name : group + "/" + entry.name;
    entries.push_back(entry);
    if (entry.kind == Hdf5Kind::kGroup) collect(file, entry.name, entries);
  }
}

struct Row {
  std::int64_t id, upid;
  float x, y, z, vpeak, vacc, mpeak, macc, mvir, spin, halfmass_scale;
};

Row row_of(std::int64_t i) {
  const float f = static_cast<float>(i);
  return {(std::int64_t{1} << 33) + i,
          i % 3 == 0 ? -1 : (std::int64_t{1} << 33),
          2 * f + 0.5f,
          3 * f,
          99 - f,
          150 + 10 * f,
          140 + 10 * f,
          1e12f + 1e10f * f,
          9e11f,
          8e11f,
          0.03f,
          0.5f};
}

}  // namespace

void rewrite_plainly(const std::filesystem::path& from, const std::filesystem::path& to, bool compressed) {
  std::vector<Hdf5Entry> entries;
  collect(Hdf5File::open(from), "/", entries);
  const Handle in(H5Fopen(from.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  const Handle out(H5Fcreate(to.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  for (const Hdf5Entry& entry : entries) {
    if (entry.kind != Hdf5Kind::kGroup) {
      copy_dataset(in, out, entry.name, compressed);
      continue;
    }
    const Handle group(H5Gcreate2(out, entry.name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    const Handle old(H5Gopen2(in, entry.name.c_str(), H5P_DEFAULT));
    copy_attributes(old, group);
  }
  const Handle old_root(H5Gopen2(in, "/", H5P_DEFAULT)), root(H5Gopen2(out, "/", H5P_DEFAULT));
  copy_attributes(old_root, root);
}

void write_halotools(const std::filesystem::path& path) {
  constexpr hsize_t kRows = 30;
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(kRows); ++i) rows.push_back(row_of(i));
  const Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const Handle type(H5Tcreate(H5T_COMPOUND, sizeof(Row)));
  must(H5Tinsert(type, "halo_id", offsetof(Row, id), H5T_NATIVE_INT64));
  must(H5Tinsert(type, "halo_upid", offsetof(Row, upid), H5T_NATIVE_INT64));
  const char* const names[] = {"x",     "y",    "z",    "vpeak", "vacc",
                               "mpeak", "macc", "mvir", "spin",  "halfmass_scale_factor"};
  std::size_t offset = offsetof(Row, x);
  for (const char* name : names) {
    must(H5Tinsert(type, concat("halo_", name).c_str(), offset, H5T_NATIVE_FLOAT));
    offset += sizeof(float);
  }
  const Handle space(H5Screate_simple(1, &kRows, nullptr)), how(H5Pcreate(H5P_DATASET_CREATE));
  must(H5Pset_obj_track_times(how, false));
  const Handle data(H5Dcreate2(file, "data", type, space, H5P_DEFAULT, how, H5P_DEFAULT));
  must(H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()));
  write_text(file, "redshift", "0.5000");
  write_text(file, "simname", "a simulation made by the tests");
  const Handle scalar(H5Screate(H5S_SCALAR));
  const Handle side(H5Acreate2(file, "Lbox", H5T_NATIVE_DOUBLE, scalar, H5P_DEFAULT, H5P_DEFAULT));
  const double box_size = 100;
  must(H5Awrite(side, H5T_NATIVE_DOUBLE, &box_size));
}

}  // namespace umbra::mutated
