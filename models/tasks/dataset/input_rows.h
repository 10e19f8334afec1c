// InputRows: the inputs of a data file, one row per sample. They are held in memory in the type of the
// file, or read from the file at every call; both give the same numbers.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base/shape.h"
#include "engine/io/hdf5.h"

namespace umbra {

/// Read access to the rows of /inputs.
class InputRows {
 public:
  /// `count` rows of this shape.
  InputRows(std::int64_t count, const Shape& shape) : count_(count), shape_(shape) {}
  virtual ~InputRows() = default;
  /// The number of rows.
  std::int64_t count() const { return count_; }
  const Shape& shape() const { return shape_; }  ///< of one row: [channels, …]
  /// Reads as many rows as fill `numbers`, starting at row `first`. May be called from several threads at
  /// once. Throws Error when the file cannot be read.
  virtual void read(std::int64_t first, std::span<double> numbers) const = 0;

 private:
  std::int64_t count_;
  Shape shape_;
};

/// The rows of /inputs in `file`: f32, f64 or u8 [n, channels, …]; u8 is multiplied by `scale`. If they are
/// not kept in memory, a contiguous dataset in native byte order is read by all threads in parallel, any
/// other by one thread at a time.
std::unique_ptr<InputRows> input_rows(std::shared_ptr<const Hdf5File> file, double scale, bool in_memory);

/// Rows of this shape from `numbers`, [n, channels, …].
std::unique_ptr<InputRows> input_rows(std::vector<double> numbers, const Shape& shape);

/// The number of rows to read at once: as many whole chunks of the file as fit 8 MiB of doubles, or one
/// chunk if that takes up to 64 MiB. `chunk_rows`: rows per chunk, 0 for a file without chunks.
std::int64_t rows_of_piece(const Shape& row, std::int64_t chunk_rows);

}  // namespace umbra
