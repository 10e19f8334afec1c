#include "models/tasks/dataset/input_rows.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/io/hdf5_rows.h"

namespace umbra {
namespace {

constexpr const char* kInputs = "inputs";

// The last step of all readers, so that all give the same bits.
template <class T>
void convert(std::span<const T> stored, double scale, std::span<double> numbers) {
  for (std::size_t i = 0; i < stored.size(); ++i) numbers[i] = static_cast<double>(stored[i]) * scale;
}

// Memory of the calling thread for `size` stored numbers.
template <class T>
std::span<T> scratch(std::size_t size) {
  thread_local std::vector<T> memory;
  if (memory.size() < size) memory.resize(size);
  return std::span(memory).first(size);
}

template <class T>
class RowsInMemory final : public InputRows {
 public:
  RowsInMemory(std::vector<T> stored, std::int64_t count, const Shape& shape, double scale)
      : InputRows(count, shape), stored_(std::move(stored)), scale_(scale) {}
  void read(std::int64_t first, std::span<double> numbers) const override {
    const auto begin = static_cast<std::size_t>(first * shape().count());
    convert(std::span<const T>(stored_).subspan(begin, numbers.size()), scale_, numbers);
  }

 private:
  std::vector<T> stored_;
  double scale_;
};

// Reads through the HDF5 library, in which threads take turns.
template <class T>
class RowsOfLibrary final : public InputRows {
 public:
  RowsOfLibrary(std::shared_ptr<const Hdf5File> file, std::int64_t count, const Shape& shape, double scale)
      : InputRows(count, shape),
        file_(std::move(file)),
        rows_(Hdf5Rows::open<T>(*file_, kInputs)),
        scale_(scale) {}
  void read(std::int64_t first, std::span<double> numbers) const override {
    const std::span<T> stored = scratch<T>(numbers.size());
    rows_.read<T>(first, stored);
    convert(std::span<const T>(stored), scale_, numbers);
  }

 private:
  std::shared_ptr<const Hdf5File> file_;
  Hdf5Rows rows_;
  double scale_;
};

// Reads directly from the position in the file. The library keeps the file open, too, so that no other
// program writes into it.
template <class T>
class RowsInFile final : public InputRows {
 public:
  RowsInFile(std::shared_ptr<const Hdf5File> file, std::int64_t offset, std::int64_t count,
             const Shape& shape, double scale)
      : InputRows(count, shape), file_(std::move(file)), offset_(offset), scale_(scale) {
    descriptor_ = ::open(file_->path().c_str(), O_RDONLY | O_CLOEXEC);
    require(descriptor_ >= 0, file_->path().string(), ": cannot be opened: ", std::strerror(errno));
  }
  ~RowsInFile() override { ::close(descriptor_); }
  RowsInFile(const RowsInFile&) = delete;
  RowsInFile& operator=(const RowsInFile&) = delete;

  void read(std::int64_t first, std::span<double> numbers) const override {
    const std::span<T> stored = scratch<T>(numbers.size());
    auto* bytes = reinterpret_cast<char*>(stored.data());
    off_t at = offset_ + first * shape().count() * static_cast<off_t>(sizeof(T));
    for (std::size_t left = stored.size_bytes(); left > 0;) {
      const ssize_t got = ::pread(descriptor_, bytes, left, at);
      if (got < 0 && errno == EINTR) continue;
      require(got > 0, file_->path().string(), ", /", kInputs, ": row ", first,
              " cannot be read: ", got < 0 ? std::strerror(errno) : "the file was cut short");
      bytes += got;
      at += got;
      left -= static_cast<std::size_t>(got);
    }
    convert(std::span<const T>(stored), scale_, numbers);
  }

 private:
  std::shared_ptr<const Hdf5File> file_;
  off_t offset_;
  double scale_;
  int descriptor_ = -1;
};

template <class T>
std::unique_ptr<InputRows> rows_of(std::shared_ptr<const Hdf5File> file, double scale, bool in_memory) {
  const Shape all = file->describe(kInputs).shape, row(all.extents().subspan(1));
  if (in_memory) return std::make_unique<RowsInMemory<T>>(file->read<T>(kInputs), all[0], row, scale);
  if (const auto offset = file->offset<T>(kInputs))
    return std::make_unique<RowsInFile<T>>(std::move(file), *offset, all[0], row, scale);
  return std::make_unique<RowsOfLibrary<T>>(std::move(file), all[0], row, scale);
}

}  // namespace

std::unique_ptr<InputRows> input_rows(std::shared_ptr<const Hdf5File> file, double scale, bool in_memory) {
  const Hdf5Entry entry = file->describe(kInputs);
  if (entry.kind == Hdf5Kind::kInteger) return rows_of<std::uint8_t>(std::move(file), scale, in_memory);
  if (entry.item_size == sizeof(double)) return rows_of<double>(std::move(file), 1, in_memory);
  return rows_of<float>(std::move(file), 1, in_memory);
}

std::unique_ptr<InputRows> input_rows(std::vector<double> numbers, const Shape& shape) {
  const std::int64_t count = static_cast<std::int64_t>(numbers.size()) / shape.count();
  return std::make_unique<RowsInMemory<double>>(std::move(numbers), count, shape, 1);
}

std::int64_t rows_of_piece(const Shape& row, std::int64_t chunk_rows) {
  constexpr std::int64_t kUsual = 1 << 20, kMost = 1 << 23;  // numbers
  const std::int64_t usual = std::max<std::int64_t>(kUsual / row.count(), 1);
  const std::int64_t most = std::max<std::int64_t>(kMost / row.count(), 1);
  if (chunk_rows > usual) return std::min(chunk_rows, most);
  return chunk_rows > 0 ? usual / chunk_rows * chunk_rows : usual;
}

}  // namespace umbra
