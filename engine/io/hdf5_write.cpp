// Writing groups and datasets, whole or row by row, to a file that was created.
#include <algorithm>

#include "engine/io/hdf5_internal.h"

namespace umbra {

using namespace hdf5;

namespace {

constexpr hsize_t kChunkBytes = hsize_t{1} << 20;

}  // namespace

Id Hdf5File::State::make_dataset(const std::string& name, hid_t type, const Shape& shape) const {
  std::vector<hsize_t> extents(shape.extents().begin(), shape.extents().end());
  const Id space(
      extents.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(shape.rank(), extents.data(), nullptr),
      H5Sclose);
  const Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  if (!extents.empty() && shape.count() > 0) {  // checksums need chunks, cut from the outermost extents
    std::vector<hsize_t> chunk = extents;
    hsize_t bytes = static_cast<hsize_t>(shape.count()) * H5Tget_size(type);
    for (std::size_t axis = 0; axis < chunk.size() && bytes > kChunkBytes; ++axis) {
      const hsize_t slab = bytes / chunk[axis];
      chunk[axis] = std::clamp<hsize_t>(kChunkBytes / slab, 1, chunk[axis]);
      bytes = slab * chunk[axis];
    }
    H5Pset_chunk(creation.get(), shape.rank(), chunk.data());
    H5Pset_fletcher32(creation.get());
  }
  return Id(H5Dcreate2(file.get(), name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
            H5Dclose);
}

void Hdf5File::store(const std::string& path, Hdf5Number type, const void* data, std::size_t count,
                     const Shape& shape) {
  const Call call(*state_);
  const std::string name = normal(path);
  if (data != nullptr && static_cast<std::int64_t>(count) != shape.count())
    state_->fail_at(name, "cannot write ", count, " numbers as shape ", shape.text());
  if (has(name)) state_->fail_at(name, "it is already in the file");
  if (const std::string parent = parent_of(name); !parent.empty()) make_group(parent);
  const hid_t memory = memory_type(type);
  Id dataset = state_->make_dataset(name, memory, shape);
  if (!dataset || (count > 0 && H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
    state_->fail_at(name, "it cannot be written", reason());
  // Chunks are written when the dataset is closed: a full disk is detected here.
  if (dataset.close() < 0) state_->fail_at(name, "it cannot be written", reason());
}

void Hdf5File::store_rows(const std::string& name, Hdf5Number type, std::int64_t first, const void* data,
                          std::size_t count) {
  const Call call(*state_);
  Id dataset = state_->dataset(name);
  const Id stored(H5Dget_space(dataset.get()), H5Sclose);
  const Shape shape = state_->shape(name, stored.get());
  const auto row = static_cast<std::size_t>(shape.rank() == 0 ? 0 : shape.count_from(1));
  const auto rows = static_cast<std::int64_t>(row == 0 ? 0 : count / row);
  if (row == 0 || static_cast<std::size_t>(rows) * row != count || first < 0 || first > shape[0] - rows)
    state_->fail_at(name, "its shape is ", shape.text(), "; ", count, " numbers from row ", first,
                    " on do not fit into it");
  std::vector<hsize_t> begin(static_cast<std::size_t>(shape.rank()), 0);
  std::vector<hsize_t> length(shape.extents().begin(), shape.extents().end());
  begin[0] = static_cast<hsize_t>(first);
  length[0] = static_cast<hsize_t>(rows);
  const Id memory(H5Screate_simple(shape.rank(), length.data(), nullptr), H5Sclose);
  if (H5Sselect_hyperslab(stored.get(), H5S_SELECT_SET, begin.data(), nullptr, length.data(), nullptr) < 0 ||
      H5Dwrite(dataset.get(), memory_type(type), memory.get(), stored.get(), H5P_DEFAULT, data) < 0 ||
      dataset.close() < 0)
    state_->fail_at(name, "it cannot be written", reason());
}

void Hdf5File::make_group(const std::string& path) {
  const Call call(*state_);
  const std::string name = normal(path);
  if (name == "/" || has_group(name)) return;
  if (has(name)) state_->fail_at(name, "cannot create the group: a dataset has this name");
  if (const std::string parent = parent_of(name); !parent.empty()) make_group(parent);
  const Id creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  const Id group(H5Gcreate2(state_->file.get(), name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                 H5Gclose);
  if (!group) state_->fail_at(name, "the group cannot be created", reason());
}

template <class T>
void Hdf5File::write(const std::string& dataset, std::span<const T> data, const Shape& shape) {
  static const T none{};  // an empty span may have a null address
  store(dataset, hdf5_number<T>, data.empty() ? &none : data.data(), data.size(), shape);
}

template <class T>
void Hdf5File::reserve(const std::string& dataset, const Shape& shape) {
  store(dataset, hdf5_number<T>, nullptr, 0, shape);
}

template <class T>
void Hdf5File::write_rows(const std::string& dataset, std::int64_t first, std::span<const T> data) {
  store_rows(dataset, hdf5_number<T>, first, data.data(), data.size());
}

#define UMBRA_HDF5_INSTANTIATE(T)                                                         \
  template void Hdf5File::write<T>(const std::string&, std::span<const T>, const Shape&); \
  template void Hdf5File::reserve<T>(const std::string&, const Shape&);                   \
  template void Hdf5File::write_rows<T>(const std::string&, std::int64_t, std::span<const T>);
UMBRA_HDF5_INSTANTIATE(float)
UMBRA_HDF5_INSTANTIATE(double)
UMBRA_HDF5_INSTANTIATE(std::int32_t)
UMBRA_HDF5_INSTANTIATE(std::int64_t)
UMBRA_HDF5_INSTANTIATE(std::uint8_t)
#undef UMBRA_HDF5_INSTANTIATE

}  // namespace umbra
