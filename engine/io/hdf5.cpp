#include "engine/io/hdf5.h"

#include <algorithm>
#include <cmath>

#include "engine/io/hdf5_internal.h"

namespace umbra {

using namespace hdf5;

namespace {

constexpr hsize_t kChunkBytes = hsize_t{1} << 20;

// Transfer properties under which a number too large for the type in memory is an error instead of being
// clamped.
Id strict_transfer() {
  Id transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
  H5Pset_type_conv_cb(
      transfer.get(),
      [](H5T_conv_except_t what, hid_t from, hid_t, void* value, void*, void*) {
        if (what != H5T_CONV_EXCEPT_RANGE_HI && what != H5T_CONV_EXCEPT_RANGE_LOW) return H5T_CONV_UNHANDLED;
        // The compiler's own double-to-float conversion counts infinity as out of range; it is not.
        const bool infinite =
            H5Tequal(from, H5T_NATIVE_DOUBLE) > 0 && std::isinf(*static_cast<double*>(value));
        return infinite ? H5T_CONV_UNHANDLED : H5T_CONV_ABORT;
      },
      nullptr);
  return transfer;
}

}  // namespace

bool Hdf5File::has(const std::string& object) const {
  const Call call(*state_);
  return state_->exists(object);
}

bool Hdf5File::has_group(const std::string& object) const {
  const Call call(*state_);
  return has(object) && H5Iget_type(state_->object(object).get()) == H5I_GROUP;
}

bool Hdf5File::has_dataset(const std::string& object) const {
  const Call call(*state_);
  return has(object) && H5Iget_type(state_->object(object).get()) == H5I_DATASET;
}

Hdf5Entry Hdf5File::describe(const std::string& name) const {
  const Call call(*state_);
  const Id object = state_->object(name);
  Hdf5Entry entry;
  const std::string path = normal(name);
  entry.name = path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
  switch (H5Iget_type(object.get())) {
    case H5I_GROUP:
      entry.kind = Hdf5Kind::kGroup;
      return entry;
    case H5I_DATASET:
      break;
    default:
      entry.kind = Hdf5Kind::kOther;
      return entry;
  }
  const Id type = state_->type(name, object.get());
  const Id space(H5Dget_space(object.get()), H5Sclose);
  entry.kind = kind_of(type.get());
  entry.item_size = H5Tget_size(type.get());
  entry.shape = state_->shape(name, space.get());
  return entry;
}

std::vector<Hdf5Entry> Hdf5File::list(const std::string& group) const {
  const Call call(*state_);
  const Id id = state_->object(group);
  if (H5Iget_type(id.get()) != H5I_GROUP) state_->fail_at(group, "a group is expected, not a dataset");
  H5G_info_t info;
  if (H5Gget_info(id.get(), &info) < 0) state_->fail_at(group, "it is damaged", reason());
  std::vector<Hdf5Entry> entries;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    char name[1024] = {};
    if (H5Lget_name_by_idx(id.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) < 0)
      state_->fail_at(group, "its list of names is damaged", reason());
    const std::string path = normal(group + "/" + name);
    if (has(path)) entries.push_back(describe(path));
  }
  return entries;
}

std::vector<std::string> Hdf5File::members(const std::string& name) const {
  const Call call(*state_);
  const Id dataset = state_->dataset(name);
  const Id type = state_->type(name, dataset.get());
  if (kind_of(type.get()) != Hdf5Kind::kCompound)
    state_->fail_at(name, "a table (compound type) is expected");
  state_->check_record(name, type.get());
  std::vector<std::string> names;
  const int count = H5Tget_nmembers(type.get());
  for (int i = 0; i < count; ++i) {
    char* member = H5Tget_member_name(type.get(), static_cast<unsigned>(i));
    if (!member) state_->fail_at(name, "its type is damaged", reason());
    names.emplace_back(member);
    H5free_memory(member);
  }
  return names;
}

Shape Hdf5File::check(const std::string& name, const std::string& member, DType wanted) const {
  const Call call(*state_);
  const Id dataset = state_->dataset(name);
  const Id type = state_->type(name, dataset.get());
  state_->check_record(name, type.get());
  std::optional<std::string> problem;
  if (member.empty()) {
    problem = refusal(type.get(), wanted);
  } else {
    const std::vector<std::string> names = members(name);
    const auto found = std::find(names.begin(), names.end(), member);
    if (found == names.end()) state_->fail_at(name, "the column '", member, "' is missing");
    const Id item(H5Tget_member_type(type.get(), static_cast<unsigned>(found - names.begin())), H5Tclose);
    problem = refusal(item.get(), wanted);
    if (problem) problem = "column '" + member + "': " + *problem;
  }
  if (problem) state_->fail_at(name, *problem);
  const Id space(H5Dget_space(dataset.get()), H5Sclose);
  const Shape shape = state_->shape(name, space.get());
  if (!member.empty() && shape.rank() != 1) state_->fail_at(name, "a one-dimensional table is expected");
  state_->check_storage(name, dataset.get(), shape, H5Tget_size(type.get()));
  return shape;
}

void Hdf5File::load(const std::string& name, const std::string& member, DType type, void* data) const {
  const Call call(*state_, Call::Work::kNumbers);
  const Id dataset = state_->dataset(name);
  Id memory(H5Tcopy(memory_type(type)), H5Tclose);
  if (!member.empty()) {
    Id record(H5Tcreate(H5T_COMPOUND, size_of(type)), H5Tclose);
    H5Tinsert(record.get(), member.c_str(), 0, memory_type(type));
    memory = std::move(record);
  }
  if (H5Dread(dataset.get(), memory.get(), H5S_ALL, H5S_ALL, strict_transfer().get(), data) < 0)
    state_->fail_reading(member.empty() ? name : name + "' column '" + member, dataset.get(), type);
}

void Hdf5File::load_part(const std::string& name, DType type, const Shape& shape, std::int64_t first,
                         std::int64_t rows, void* data) const {
  const Call call(*state_, Call::Work::kNumbers);
  const Id dataset = state_->dataset(name);
  std::vector<hsize_t> begin(static_cast<std::size_t>(shape.rank()), 0);
  std::vector<hsize_t> length(shape.extents().begin(), shape.extents().end());
  begin[0] = static_cast<hsize_t>(first);
  length[0] = static_cast<hsize_t>(rows);
  const Id stored(H5Dget_space(dataset.get()), H5Sclose);
  const Id memory(H5Screate_simple(shape.rank(), length.data(), nullptr), H5Sclose);
  if (!stored || !memory ||
      H5Sselect_hyperslab(stored.get(), H5S_SELECT_SET, begin.data(), nullptr, length.data(), nullptr) < 0 ||
      H5Dread(dataset.get(), memory_type(type), memory.get(), stored.get(), strict_transfer().get(), data) <
          0)
    state_->fail_reading(name, dataset.get(), type);
}

void Hdf5File::store(const std::string& path, DType type, const void* data, std::size_t count,
                     const Shape& shape) {
  const Call call(*state_);
  const std::string name = normal(path);
  if (static_cast<std::int64_t>(count) != shape.count())
    state_->fail_at(name, "cannot write ", count, " numbers as shape ", shape.text());
  if (has(name)) state_->fail_at(name, "it is already in the file");
  if (const std::string parent = parent_of(name); !parent.empty()) make_group(parent);
  std::vector<hsize_t> extents(shape.extents().begin(), shape.extents().end());
  const Id space(
      extents.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(shape.rank(), extents.data(), nullptr),
      H5Sclose);
  const Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  if (!extents.empty() && count > 0) {  // checksums need chunks; chunks are cut from the outermost extents
    std::vector<hsize_t> chunk = extents;
    hsize_t bytes = static_cast<hsize_t>(count) * size_of(type);
    for (std::size_t axis = 0; axis < chunk.size() && bytes > kChunkBytes; ++axis) {
      const hsize_t slab = bytes / chunk[axis];
      chunk[axis] = std::clamp<hsize_t>(kChunkBytes / slab, 1, chunk[axis]);
      bytes = slab * chunk[axis];
    }
    H5Pset_chunk(creation.get(), shape.rank(), chunk.data());
    H5Pset_fletcher32(creation.get());
  }
  const hid_t memory = memory_type(type);
  Id dataset(H5Dcreate2(state_->file.get(), name.c_str(), memory, space.get(), H5P_DEFAULT, creation.get(),
                        H5P_DEFAULT),
             H5Dclose);
  if (!dataset || (count > 0 && H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
    state_->fail_at(name, "it cannot be written", reason());
  // Chunks reach the file on closing: this is where a full disk shows.
  if (dataset.close() < 0) state_->fail_at(name, "it cannot be written", reason());
}

void Hdf5File::make_group(const std::string& path) {
  const Call call(*state_);
  const std::string name = normal(path);
  if (name == "/" || has_group(name)) return;
  if (has(name)) state_->fail_at(name, "a group cannot be made where a dataset is");
  if (const std::string parent = parent_of(name); !parent.empty()) make_group(parent);
  const Id creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  const Id group(H5Gcreate2(state_->file.get(), name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                 H5Gclose);
  if (!group) state_->fail_at(name, "the group cannot be made", reason());
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& dataset) const {
  std::vector<T> data(static_cast<std::size_t>(check(dataset, "", dtype_of<T>).count()));
  if (!data.empty()) load(dataset, "", dtype_of<T>, data.data());
  return data;
}

template <class T>
void Hdf5File::read_into(const std::string& dataset, const Shape& expected, std::span<T> data) const {
  const Shape shape = check(dataset, "", dtype_of<T>);
  if (shape != expected)
    state_->fail_at(dataset, "its shape is ", shape.text(), ", ", expected.text(), " is expected");
  if (static_cast<std::int64_t>(data.size()) != expected.count())
    state_->fail_at(dataset, "the buffer holds ", data.size(), " numbers, the shape is ", expected.text());
  if (!data.empty()) load(dataset, "", dtype_of<T>, data.data());
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& dataset, const Shape& expected) const {
  const Shape shape =
      check(dataset, "", dtype_of<T>);  // before the allocation: `expected` may come from a file, too
  if (shape != expected)
    state_->fail_at(dataset, "its shape is ", shape.text(), ", ", expected.text(), " is expected");
  return read<T>(dataset);
}

template <class T>
void Hdf5File::read_part(const std::string& dataset, std::int64_t first, std::span<T> data) const {
  const Shape shape = check(dataset, "", dtype_of<T>);
  if (shape.rank() != 1)
    state_->fail_at(dataset, "its shape is ", shape.text(), ", one dimension is expected");
  const auto count = static_cast<std::int64_t>(data.size());
  if (first < 0 || count > shape.count() || first > shape.count() - count)
    state_->fail_at(dataset, "it has ", shape.count(), " elements, ", count, " from element ", first,
                    " on are wanted");
  if (!data.empty()) load_part(dataset, dtype_of<T>, shape, first, count, data.data());
}

template <class T>
void Hdf5File::read_rows(const std::string& dataset, std::int64_t first, std::span<T> data) const {
  const Shape shape = check(dataset, "", dtype_of<T>);
  if (shape.rank() == 0) state_->fail_at(dataset, "it is one number, rows of numbers are expected");
  const std::int64_t row = shape.count_from(1), count = static_cast<std::int64_t>(data.size());
  const std::int64_t rows = row == 0 ? 0 : count / row;
  if (first < 0 || rows * row != count || rows > shape[0] || first > shape[0] - rows)
    state_->fail_at(dataset, "its shape is ", shape.text(), ", ", count, " numbers from row ", first,
                    " on are wanted");
  if (!data.empty()) load_part(dataset, dtype_of<T>, shape, first, rows, data.data());
}

template <class T>
std::vector<T> Hdf5File::read_member(const std::string& dataset, const std::string& member) const {
  std::vector<T> data(static_cast<std::size_t>(check(dataset, member, dtype_of<T>).count()));
  if (!data.empty()) load(dataset, member, dtype_of<T>, data.data());
  return data;
}

template <class T>
void Hdf5File::write(const std::string& dataset, std::span<const T> data, const Shape& shape) {
  store(dataset, dtype_of<T>, data.data(), data.size(), shape);
}

#define UMBRA_HDF5_INSTANTIATE(T)                                                                 \
  template std::vector<T> Hdf5File::read<T>(const std::string&) const;                            \
  template std::vector<T> Hdf5File::read<T>(const std::string&, const Shape&) const;              \
  template void Hdf5File::read_into<T>(const std::string&, const Shape&, std::span<T>) const;     \
  template void Hdf5File::read_part<T>(const std::string&, std::int64_t, std::span<T>) const;     \
  template void Hdf5File::read_rows<T>(const std::string&, std::int64_t, std::span<T>) const;     \
  template std::vector<T> Hdf5File::read_member<T>(const std::string&, const std::string&) const; \
  template void Hdf5File::write<T>(const std::string&, std::span<const T>, const Shape&);
UMBRA_HDF5_INSTANTIATE(float)
UMBRA_HDF5_INSTANTIATE(double)
UMBRA_HDF5_INSTANTIATE(std::int32_t)
UMBRA_HDF5_INSTANTIATE(std::int64_t)
#undef UMBRA_HDF5_INSTANTIATE

}  // namespace umbra
