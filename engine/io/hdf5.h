// HDF5 files behind one class: paths go in, vectors come out, and every failure is one umbra::Error sentence
// naming the file and the object. Nothing in a file is believed before it is checked: type, rank, extents and
// the size claimed against the bytes really stored, so a damaged file cannot ask for a giant allocation.
//
// A dataset that was never or only partly written reads as its fill value, up to kMostFilled elements a file.
//
// Objects are named by their path from the root ("halos/vpeak"); "/" is the root group. Files written here
// carry checksums over metadata and data (of HDF5: blind to 0x0000 becoming 0xffff), no time stamps (same
// content, same bytes), and a root attribute `umbra_version`. The HDF5 library is not safe for several
// threads: neither is this class, not even on different files.
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

/// What a path in a file leads to.
enum class Hdf5Kind { kGroup, kFloat, kInteger, kString, kCompound, kOther };

struct Hdf5Entry {
  std::string name;
  Hdf5Kind kind = Hdf5Kind::kOther;
  Shape shape;                  // of a dataset (rank 0: a scalar)
  std::size_t item_size = 0;    // bytes of one element as stored
  std::int64_t chunk_rows = 0;  // extent of its chunks along the first axis; 0: it is not cut into chunks
};

/// Numbers in memory that datasets are read into and written from.
enum class Hdf5Number { kF32, kF64, kI32, kI64, kU8 };
template <class T>
inline constexpr Hdf5Number hdf5_number = Hdf5Number::kF32;
template <>
inline constexpr Hdf5Number hdf5_number<double> = Hdf5Number::kF64;
template <>
inline constexpr Hdf5Number hdf5_number<std::int32_t> = Hdf5Number::kI32;
template <>
inline constexpr Hdf5Number hdf5_number<std::int64_t> = Hdf5Number::kI64;
template <>
inline constexpr Hdf5Number hdf5_number<std::uint8_t> = Hdf5Number::kU8;

class Hdf5File {
 public:
  /// Elements never written that are taken from fill values, over all datasets of a file: they cost a file no
  /// bytes, so a damaged one could claim any number.
  static constexpr std::int64_t kMostFilled = std::int64_t{1} << 24;

  /// Opens for reading. Throws Error when the file is missing, is not HDF5 or is cut short.
  static Hdf5File open(const std::filesystem::path& path);
  /// Starts a new file, written aside: it appears under its name only with commit().
  static Hdf5File create(const std::filesystem::path& path);
  ~Hdf5File();
  Hdf5File(Hdf5File&&) noexcept;
  Hdf5File& operator=(Hdf5File&&) noexcept;

  const std::filesystem::path& path() const;
  /// For readers of umbra's own files: throws Error when it says that it is newer than this release.
  void check_format_version() const;
  /// Closes a created file and puts it in place. Without it the destructor leaves nothing behind.
  void commit();

  /// A group or dataset of this very file. Throws Error for a link to another file: it is not followed, and a
  /// column must not vanish behind one.
  bool has(const std::string& object) const;
  bool has_group(const std::string& object) const;
  bool has_dataset(const std::string& object) const;
  /// What stands in a group, by name in ascending order. Throws Error as has().
  std::vector<Hdf5Entry> list(const std::string& group = "/") const;
  /// Kind, extents and element size of one object; throws Error when it is missing.
  Hdf5Entry describe(const std::string& object) const;

  /// A whole dataset. T: float, double, int32_t, int64_t, uint8_t. Floating-point T accepts any stored number; integer
  /// T accepts stored integers that fit without loss. Throws Error for a missing dataset, another type, a
  /// rank above 6.
  template <class T>
  std::vector<T> read(const std::string& dataset) const;
  /// The same, and the shape must be `expected`.
  template <class T>
  std::vector<T> read(const std::string& dataset, const Shape& expected) const;
  /// The same, into memory that is already there; data.size() must be expected.count().
  template <class T>
  void read_into(const std::string& dataset, const Shape& expected, std::span<T> data) const;
  /// Elements first to first + data.size() of a one-dimensional dataset, into memory that is already there;
  /// no more of it is read than the chunks they stand in. With no elements: the checks alone.
  template <class T>
  void read_part(const std::string& dataset, std::int64_t first, std::span<T> data) const;
  /// Rows of a dataset of one or more dimensions: those from `first` on along its first axis, as many as fill
  /// `data`. Nothing is read beyond the chunks they stand in. Who reads some again and again takes Hdf5Rows
  /// (engine/io/hdf5_rows.h).
  template <class T>
  void read_rows(const std::string& dataset, std::int64_t first, std::span<T> data) const;
  /// Where the numbers of a dataset begin in the file, in bytes, when they lie there in one piece just as a T
  /// lies in memory: for programs that read them with several threads at once. Nothing when they do not.
  template <class T>
  std::optional<std::int64_t> offset(const std::string& dataset) const;
  /// One member of a one-dimensional dataset of compound type (a table).
  template <class T>
  std::vector<T> read_member(const std::string& dataset, const std::string& member) const;
  /// The member names of a dataset of compound type.
  std::vector<std::string> members(const std::string& dataset) const;

  /// Writes a new dataset; groups on the way are made. data.size() must be shape.count().
  template <class T>
  void write(const std::string& dataset, std::span<const T> data, const Shape& shape);
  template <class T>
  void write(const std::string& dataset, const std::vector<T>& data) {
    write<T>(dataset, data, Shape{static_cast<std::int64_t>(data.size())});
  }
  template <class T>
  void write(const std::string& dataset, const std::vector<T>& data, const Shape& shape) {
    write<T>(dataset, std::span<const T>(data), shape);
  }
  /// A new dataset whose rows, along its first axis, follow in pieces: all of them before commit().
  template <class T>
  void reserve(const std::string& dataset, const Shape& shape);
  /// Rows of it from `first` on, as many as fill `data`.
  template <class T>
  void write_rows(const std::string& dataset, std::int64_t first, std::span<const T> data);
  void make_group(const std::string& group);

  // Attributes of `object` (a group or dataset; "/" for the file itself). Setting replaces what was there.
  bool has_attribute(const std::string& object, const std::string& key) const;
  /// Its kind and extents.
  Hdf5Entry describe_attribute(const std::string& object, const std::string& key) const;
  /// A number: double accepts any stored number, int64_t stored integers. One element is expected.
  double attribute_number(const std::string& object, const std::string& key) const;
  std::int64_t attribute_integer(const std::string& object, const std::string& key) const;
  std::vector<double> attribute_numbers(const std::string& object, const std::string& key) const;
  std::string attribute_text(const std::string& object, const std::string& key) const;
  /// A list of texts; one text is a list of one.
  std::vector<std::string> attribute_texts(const std::string& object, const std::string& key) const;
  /// A remark for people: an attribute of any type as text, or nothing where there is none or it is neither
  /// text nor numbers.
  std::string remark(const std::string& object, const std::string& key) const;
  void set_attribute(const std::string& object, const std::string& key, double value);
  void set_attribute(const std::string& object, const std::string& key, std::int64_t value);
  void set_attribute(const std::string& object, const std::string& key, std::span<const double> values);
  void set_attribute(const std::string& object, const std::string& key, const std::string& text);
  void set_attribute(const std::string& object, const std::string& key, std::span<const std::string> texts);
  // int and char literals must not fall into the wrong overload
  void set_attribute(const std::string& object, const std::string& key, int value) {
    set_attribute(object, key, static_cast<std::int64_t>(value));
  }
  void set_attribute(const std::string& object, const std::string& key, const char* text) {
    set_attribute(object, key, std::string(text));
  }

 private:
  friend class Hdf5Rows;
  struct State;
  class Call;
  explicit Hdf5File(std::unique_ptr<State> state);
  // Checks that a dataset (or a member of a table) can be read as `type` and that its bytes really are there.
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
