// Hdf5Rows: a dataset whose rows are read repeatedly, in any order. It is checked once and stays open, with a
// cache of the chunks decompressed last: the cost of a read does not depend on the number of chunks.
// Several threads may read it: they take turns.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/base/shape.h"
#include "engine/io/hdf5.h"

namespace umbra {

/// An open HDF5 dataset for repeated reads of rows.
class Hdf5Rows {
 public:
  /// Default size of the cache of decompressed chunks, in bytes. A single larger chunk is kept as well.
  static constexpr std::size_t kCache = std::size_t{64} << 20;

  /// Opens a dataset of one or more dimensions, to be read as T. `file` must outlive the result. A cache of 0
  /// bytes leaves the cache to the default of the library. Throws Error as Hdf5File::read() does.
  template <class T>
  static Hdf5Rows open(const Hdf5File& file, const std::string& dataset, std::size_t cache = kCache) {
    return Hdf5Rows(file, dataset, hdf5_number<T>, cache);
  }
  /// Closes the dataset.
  ~Hdf5Rows();
  /// Moves the open dataset; the other object can only be destroyed.
  Hdf5Rows(Hdf5Rows&&) noexcept;

  /// Shape of the whole dataset.
  const Shape& shape() const;
  /// Reads rows along the first axis from `first` on, as many as fill `data`. T is that of open(). Only the
  /// chunks that contain them are read. Throws Error naming file, dataset and rows when they cannot be
  /// read, for example because the file has been truncated since it was opened.
  template <class T>
  void read(std::int64_t first, std::span<T> data) const {
    read(hdf5_number<T>, first, data.data(), static_cast<std::int64_t>(data.size()));
  }

 private:
  struct Opened;
  Hdf5Rows(const Hdf5File& file, const std::string& dataset, Hdf5Number type, std::size_t cache);
  void read(Hdf5Number type, std::int64_t first, void* data, std::int64_t count) const;
  std::unique_ptr<Opened> opened_;
};

}  // namespace umbra
