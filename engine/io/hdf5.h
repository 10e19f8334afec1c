// HDF5 files as one class that reads datasets into vectors. Every failure throws an Error that names the
// file and the object. Type, rank, extents and the claimed size are checked against the bytes that are
// stored before memory is allocated, so that a damaged file cannot cause a giant allocation.
//
// The part of a dataset that was never written reads as its fill value, up to kMostFilled elements per file.
//
// Objects are named by their path from the root ("halos/vpeak"); "/" is the root group. Files written here
// have checksums of metadata and data (HDF5's, which do not detect 0x0000 becoming 0xffff), no time stamps
// (equal content gives equal bytes), and a root attribute `umbra_version`. Threads may use files of their own at the
// same time: the HDF5 library is not thread-safe, so their calls take turns.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/shape.h"

namespace umbra {

/// The kind of an object: a group, or the element type of a dataset or attribute.
enum class Hdf5Kind {
  kGroup,     ///< a group
  kFloat,     ///< floating-point numbers
  kInteger,   ///< integers
  kString,    ///< texts
  kCompound,  ///< a table: every element is a record of named members
  kOther      ///< anything else
};

/// Description of an object.
struct Hdf5Entry {
  std::string name;                  ///< the last component of its path
  Hdf5Kind kind = Hdf5Kind::kOther;  ///< group or element type
  Shape shape;                       ///< of a dataset (rank 0: a scalar)
  std::size_t item_size = 0;         ///< bytes of one element as stored
  std::int64_t chunk_rows = 0;       ///< extent of the chunks along the first axis; 0: not chunked
};

/// Types in memory that datasets are read into and written from.
enum class Hdf5Number {
  kF32,  ///< float
  kF64,  ///< double
  kI32,  ///< std::int32_t
  kI64,  ///< std::int64_t
  kU8    ///< std::uint8_t
};
/// The Hdf5Number of a C++ type: float, double, std::int32_t, std::int64_t or std::uint8_t.
template <class T>
inline constexpr Hdf5Number hdf5_number = Hdf5Number::kF32;
/// \cond
template <>
inline constexpr Hdf5Number hdf5_number<double> = Hdf5Number::kF64;
template <>
inline constexpr Hdf5Number hdf5_number<std::int32_t> = Hdf5Number::kI32;
template <>
inline constexpr Hdf5Number hdf5_number<std::int64_t> = Hdf5Number::kI64;
template <>
inline constexpr Hdf5Number hdf5_number<std::uint8_t> = Hdf5Number::kU8;
/// \endcond

/// An HDF5 file, open for reading or being written.
class Hdf5File {
 public:
  /// Largest number of elements of all datasets of a file that are read as fill values because they were
  /// never written. They occupy no bytes, so that a damaged file could claim any number.
  static constexpr std::int64_t kMostFilled = std::int64_t{1} << 24;

  /// Opens a file for reading. Throws Error when it is missing, is not HDF5 or is truncated.
  static Hdf5File open(const std::filesystem::path& path);
  /// Starts a new file through an AtomicFile: it appears under its name only with commit(). Throws Error
  /// when it cannot be written.
  static Hdf5File create(const std::filesystem::path& path);
  /// Closes the file. A file that was created but not committed is removed.
  ~Hdf5File();
  /// Moves the open file; the other object can only be destroyed or assigned to.
  Hdf5File(Hdf5File&&) noexcept;
  /// Closes this file and moves the other one here.
  Hdf5File& operator=(Hdf5File&&) noexcept;

  /// The path given to open() or create().
  const std::filesystem::path& path() const;
  /// For readers of umbra's own files: throws Error when its format_version is newer than this release.
  void check_format_version() const;
  /// Closes a created file and renames it to its path. Throws Error when that fails.
  void commit();

  /// Whether this file contains a group or dataset of this path. Throws Error for a link to another file or
  /// to nothing: such links are not followed, and an object behind one must not count as absent.
  bool has(const std::string& object) const;
  /// As has(), for groups only.
  bool has_group(const std::string& object) const;
  /// As has(), for datasets only.
  bool has_dataset(const std::string& object) const;
  /// The objects in a group, in ascending order of their names. Throws Error as has() does.
  std::vector<Hdf5Entry> list(const std::string& group = "/") const;
  /// Kind, extents and element size of one object. Throws Error when it is missing.
  Hdf5Entry describe(const std::string& object) const;

  /// Reads a whole dataset. T is float, double, int32_t, int64_t or uint8_t. A floating-point T accepts any
  /// stored number; an integer T accepts stored integers that fit without loss. Throws Error for a missing
  /// dataset, another type, or a rank above 6.
  template <class T>
  std::vector<T> read(const std::string& dataset) const;
  /// The same; throws Error also unless the shape is `expected`.
  template <class T>
  std::vector<T> read(const std::string& dataset, const Shape& expected) const;
  /// The same, into existing memory. data.size() must be expected.count().
  template <class T>
  void read_into(const std::string& dataset, const Shape& expected, std::span<T> data) const;
  /// Reads elements [first, first + data.size()) of a one-dimensional dataset into existing memory. Only
  /// the chunks that contain them are read. With an empty `data`, only checks the dataset.
  template <class T>
  void read_part(const std::string& dataset, std::int64_t first, std::span<T> data) const;
  /// Reads rows of a dataset of one or more dimensions along its first axis: from `first` on, as many as fill
  /// `data`. Only the chunks that contain them are read. For repeated reads use Hdf5Rows.
  template <class T>
  void read_rows(const std::string& dataset, std::int64_t first, std::span<T> data) const;
  /// The position in the file, in bytes, of the first element of a dataset that is stored contiguously and
  /// in the format of T in memory; else nothing. For programs that read the file with several threads.
  template <class T>
  std::optional<std::int64_t> offset(const std::string& dataset) const;
  /// Reads one member of a one-dimensional dataset of compound type: a column of a table.
  template <class T>
  std::vector<T> read_member(const std::string& dataset, const std::string& member) const;
  /// Reads a one-dimensional dataset of texts of a fixed length. Throws Error for any other.
  std::vector<std::string> read_texts(const std::string& dataset) const;
  /// The member names of a dataset of compound type.
  std::vector<std::string> members(const std::string& dataset) const;

  /// Writes a new dataset and creates its groups. data.size() must be shape.count(). Throws Error when the
  /// dataset exists or cannot be written.
  template <class T>
  void write(const std::string& dataset, std::span<const T> data, const Shape& shape);
  /// The same, as one dimension.
  template <class T>
  void write(const std::string& dataset, const std::vector<T>& data) {
    write<T>(dataset, data, Shape{static_cast<std::int64_t>(data.size())});
  }
  /// The same, from a vector.
  template <class T>
  void write(const std::string& dataset, const std::vector<T>& data, const Shape& shape) {
    write<T>(dataset, std::span<const T>(data), shape);
  }
  /// Writes a new one-dimensional dataset of texts, all stored with the length of the longest.
  void write_texts(const std::string& dataset, const std::vector<std::string>& texts);
  /// Creates a dataset whose rows along the first axis are written by write_rows(), all of them before
  /// commit().
  template <class T>
  void reserve(const std::string& dataset, const Shape& shape);
  /// Writes rows of a reserved dataset, from `first` on, as many as `data` contains.
  template <class T>
  void write_rows(const std::string& dataset, std::int64_t first, std::span<const T> data);
  /// Creates a group and its parents; does nothing if it exists.
  void make_group(const std::string& group);

  // Attributes of `object`: a group or dataset, or "/" for the file itself. Readers throw Error when the
  // attribute is missing or has another type.

  /// Whether the object has the attribute. Throws Error when the object is missing.
  bool has_attribute(const std::string& object, const std::string& key) const;
  /// Kind and extents of an attribute.
  Hdf5Entry describe_attribute(const std::string& object, const std::string& key) const;
  /// One number of any stored type.
  double attribute_number(const std::string& object, const std::string& key) const;
  /// One stored integer.
  std::int64_t attribute_integer(const std::string& object, const std::string& key) const;
  /// Numbers of any stored type, in row-major order.
  std::vector<double> attribute_numbers(const std::string& object, const std::string& key) const;
  /// One text.
  std::string attribute_text(const std::string& object, const std::string& key) const;
  /// A list of texts; a single text gives a list of one.
  std::vector<std::string> attribute_texts(const std::string& object, const std::string& key) const;
  /// An attribute of any type as text for people; empty when it is missing or neither text nor numbers.
  std::string remark(const std::string& object, const std::string& key) const;
  /// Sets an attribute to a number, replacing an existing one. Throws Error when it cannot be written.
  void set_attribute(const std::string& object, const std::string& key, double value);
  /// The same for an integer.
  void set_attribute(const std::string& object, const std::string& key, std::int64_t value);
  /// The same for a list of numbers.
  void set_attribute(const std::string& object, const std::string& key, std::span<const double> values);
  /// The same for a list of integers.
  void set_attribute(const std::string& object, const std::string& key, std::span<const std::int64_t> values);
  /// The same for a text.
  void set_attribute(const std::string& object, const std::string& key, const std::string& text);
  /// The same for a list of texts.
  void set_attribute(const std::string& object, const std::string& key, std::span<const std::string> texts);
  /// The same for an integer literal, which would be ambiguous otherwise.
  void set_attribute(const std::string& object, const std::string& key, int value) {
    set_attribute(object, key, static_cast<std::int64_t>(value));
  }
  /// The same for a string literal.
  void set_attribute(const std::string& object, const std::string& key, const char* text) {
    set_attribute(object, key, std::string(text));
  }

 private:
  friend class Hdf5Rows;
  struct State;
  class Call;
  explicit Hdf5File(std::unique_ptr<State> state);
  // Checks that a dataset (or a member of a table) can be read as `type` and that its bytes are stored.
  Shape check(const std::string& dataset, const std::string& member, Hdf5Number type) const;
  void load(const std::string& dataset, const std::string& member, Hdf5Number type, void* data) const;
  std::optional<std::int64_t> find_offset(const std::string& dataset, Hdf5Number type) const;
  void store(const std::string& dataset, Hdf5Number type, const void* data, std::size_t count,
             const Shape& shape);
  void store_rows(const std::string& dataset, Hdf5Number type, std::int64_t first, const void* data,
                  std::size_t count);
  std::unique_ptr<State> state_;
};

}  // namespace umbra
