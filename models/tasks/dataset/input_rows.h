// InputRows: the inputs of a data file, a row a sample, in memory as the file stores them or read from it at
// every call. Both give the same numbers.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base/shape.h"
#include "engine/io/hdf5.h"

namespace umbra {

class InputRows {
 public:
  InputRows(std::int64_t count, const Shape& shape) : count_(count), shape_(shape) {}
  virtual ~InputRows() = default;
  std::int64_t count() const { return count_; }
  const Shape& shape() const { return shape_; }  // of one row: [channels, …]
  /// Reads rows from `first` on, as many as fill `numbers`. May be called from several threads at once.
  /// Throws Error when the file cannot be read.
  virtual void read(std::int64_t first, std::span<double> numbers) const = 0;

 private:
  std::int64_t count_;
  Shape shape_;
};

/// Of /inputs in `file`, of f32, f64 or u8 [n, channels, …]; u8 times `scale`. Where they are not kept in
/// memory, those that lie in the file as they are in memory are read by all threads side by side, others by
/// one after the other.
std::unique_ptr<InputRows> input_rows(std::shared_ptr<const Hdf5File> file, double scale, bool in_memory);

/// Numbers at hand, [n, channels, …] with rows of this shape.
std::unique_ptr<InputRows> input_rows(std::vector<double> numbers, const Shape& shape);

/// How many rows make a good piece to be read at once: whole chunks of the file in 8 MiB of doubles, or one
/// chunk in up to 64 MiB.
std::int64_t rows_of_piece(const Shape& row, std::int64_t chunk_rows);

}  // namespace umbra
