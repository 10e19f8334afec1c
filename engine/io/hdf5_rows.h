// Hdf5Rows: a dataset whose rows are read again and again, in any order. It is checked once and stays open
// with the chunks unpacked last: a read costs what its rows cost, however many chunks the dataset has.
//
// As little safe for several threads as the HDF5 library is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/base/shape.h"
#include "engine/io/hdf5.h"

namespace umbra {

class Hdf5Rows {
 public:
  /// Bytes of chunks that are kept unpacked; a single chunk may be larger.
  static constexpr std::size_t kCache = std::size_t{64} << 20;

  /// A dataset of one or more dimensions, to be read as T; `file` must outlive it. With a cache of 0 bytes,
  /// what the library does of itself. Throws Error as Hdf5File::read().
  template <class T>
  static Hdf5Rows open(const Hdf5File& file, const std::string& dataset, std::size_t cache = kCache) {
    return Hdf5Rows(file, dataset, hdf5_number<T>, cache);
  }
  ~Hdf5Rows();
  Hdf5Rows(Hdf5Rows&&) noexcept;

  /// Of the whole dataset.
  const Shape& shape() const;
  /// Rows from `first` on along the first axis, as many as fill `data`; T is that of open(). Nothing is read
  /// beyond the chunks they stand in. Throws Error naming file, dataset and rows, also when the file has been
  /// cut short since it was opened.
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
