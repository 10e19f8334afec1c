#include "engine/io/hdf5_rows.h"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "engine/io/hdf5_internal.h"

namespace umbra {

using namespace hdf5;

struct Hdf5Rows::Opened {
  const Hdf5File::State& state;
  std::string name;
  Hdf5Number type;
  Shape shape;
  Id dataset, stored, transfer;
  std::int64_t file_bytes;
};

namespace {

// Access properties that keep `bytes` of decompressed chunks in a cache. A single larger chunk is kept as
// well: otherwise the library would decompress it again for every row.
Id with_cache(hid_t dataset, std::size_t bytes) {
  Id access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  if (bytes == 0) return access;
  const Id creation(H5Dget_create_plist(dataset), H5Pclose), type(H5Dget_type(dataset), H5Tclose);
  hsize_t extents[H5S_MAX_RANK] = {};
  const int rank =
      H5Pget_layout(creation.get()) == H5D_CHUNKED ? H5Pget_chunk(creation.get(), H5S_MAX_RANK, extents) : 0;
  if (rank <= 0) return access;
  std::size_t chunk = H5Tget_size(type.get());
  for (int i = 0; i < rank; ++i) chunk *= static_cast<std::size_t>(extents[i]);
  constexpr std::size_t kSlots = 12421;  // a prime; two chunks with the same slot evict each other
  H5Pset_chunk_cache(access.get(), kSlots, std::max(bytes, chunk), H5D_CHUNK_CACHE_W0_DEFAULT);
  return access;
}

// Size of the file that the library has open (another file may have its name by now), in bytes; -1: unknown.
std::int64_t bytes_of(hid_t file) {
  void* descriptor = nullptr;
  struct stat status {};
  const bool known = H5Fget_vfd_handle(file, H5P_DEFAULT, &descriptor) >= 0 && descriptor != nullptr &&
                     ::fstat(*static_cast<const int*>(descriptor), &status) == 0;
  return known ? static_cast<std::int64_t>(status.st_size) : -1;
}

std::string text_of(std::int64_t first, std::int64_t rows) {
  return rows == 1 ? concat("row ", first) : concat("rows ", first, " to ", first + rows - 1);
}

}  // namespace

Hdf5Rows::Hdf5Rows(const Hdf5File& file, const std::string& name, Hdf5Number type, std::size_t cache) {
  const Shape shape = file.check(name, "", type);
  const Hdf5File::State& state = *file.state_;
  if (shape.rank() == 0) state.fail_at(name, "it is one number, but rows of numbers are expected");
  const Hdf5File::Call call(state);
  Id access;
  {
    const Id dataset = state.dataset(name);  // closed again: the cache is created by the first open
    access = with_cache(dataset.get(), cache);
  }
  Id dataset(H5Dopen2(state.file.get(), normal(name).c_str(), access.get()), H5Dclose);
  Id stored(dataset ? H5Dget_space(dataset.get()) : -1, H5Sclose);
  if (!stored) state.fail_at(name, "it is damaged and cannot be opened", reason());
  opened_.reset(new Opened{state, name, type, shape, std::move(dataset), std::move(stored), strict_transfer(),
                           bytes_of(state.file.get())});
}

Hdf5Rows::~Hdf5Rows() {
  if (!opened_) return;
  const Hdf5File::Call call(opened_->state);
  opened_.reset();
}

Hdf5Rows::Hdf5Rows(Hdf5Rows&&) noexcept = default;

const Shape& Hdf5Rows::shape() const {
  return opened_->shape;
}

void Hdf5Rows::read(Hdf5Number type, std::int64_t first, void* data, std::int64_t count) const {
  const auto& [state, name, opened_as, shape, dataset, stored, transfer, file_bytes] = *opened_;
  const std::int64_t row = shape.count_from(1), rows = row == 0 ? 0 : count / row;
  if (type != opened_as) state.fail_at(name, "it was opened with another type of numbers");
  if (first < 0 || rows * row != count || rows > shape[0] || first > shape[0] - rows)
    state.fail_at(name, "its shape is ", shape.text(), ", but ", count, " numbers from row ", first,
                  " on were requested");
  if (rows == 0) return;
  const Hdf5File::Call call(state, Hdf5File::Call::Work::kNumbers);
  std::vector<hsize_t> begin(static_cast<std::size_t>(shape.rank()), 0);
  std::vector<hsize_t> length(shape.extents().begin(), shape.extents().end());
  begin[0] = static_cast<hsize_t>(first);
  length[0] = static_cast<hsize_t>(rows);
  const Id memory(H5Screate_simple(shape.rank(), length.data(), nullptr), H5Sclose);
  const bool done =
      memory &&
      H5Sselect_hyperslab(stored.get(), H5S_SELECT_SET, begin.data(), nullptr, length.data(), nullptr) >= 0 &&
      H5Dread(dataset.get(), memory_type(type), memory.get(), stored.get(), transfer.get(), data) >= 0;
  if (bytes_of(state.file.get()) < file_bytes)  // the library reads zeros beyond the end of a file
    state.fail_at(name, text_of(first, rows), " cannot be read: the file was cut short");
  if (!done) state.fail_reading(name, dataset.get(), type, text_of(first, rows) + ": ");
}

}  // namespace umbra
