// Shared by the sources of hdf5.h: HDF5 identifiers that close themselves, and the checks at the start of
// every access. Internal: only hdf5*.cpp include this file, so that no other file sees the C API. Not
// installed.
#pragma once

#include <hdf5.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/crash_guard.h"
#include "engine/io/hdf5.h"

namespace umbra {
namespace hdf5 {

// An HDF5 identifier and the function that closes it.
class Id {
 public:
  using Close = herr_t (*)(hid_t);
  Id() = default;
  Id(hid_t value, Close closer) : value_(value), close_(closer) {}
  Id(Id&& other) noexcept : value_(std::exchange(other.value_, -1)), close_(other.close_) {}
  Id& operator=(Id&& other) noexcept {
    std::swap(value_, other.value_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Id() { close(); }
  herr_t close() {
    const hid_t value = std::exchange(value_, -1);
    return value >= 0 ? close_(value) : 0;
  }
  hid_t get() const { return value_; }
  explicit operator bool() const { return value_ >= 0; }

 private:
  hid_t value_ = -1;
  Close close_ = nullptr;
};

/// Waits until no other thread uses the library, forgets earlier reasons, and prepares the library.
std::unique_lock<std::recursive_mutex> take_turn();
/// The innermost reason that HDF5 gave for its last failure since a Call began, as " (reason)"; else empty.
std::string reason();
/// The HDF5 type of `type` in memory.
hid_t memory_type(Hdf5Number type);
/// Whether `type` is an integer.
bool is_integer(Hdf5Number type);
Hdf5Kind kind_of(hid_t type);
/// Transfer properties under which a number too large for the type in memory is an error and is not clamped.
Id strict_transfer();
/// Why stored values of type `stored` cannot be read as `wanted`; nothing when they can.
std::optional<std::string> refusal(hid_t stored, Hdf5Number wanted);
/// A path without leading and trailing slashes: "/a//" becomes "a". The root is "/".
std::string normal(const std::string& path);
/// All of a normal path but its last component; "" when it has only one.
std::string parent_of(const std::string& path);

}  // namespace hdf5

struct Hdf5File::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  /// Closes the file.
  ~State();

  std::filesystem::path path;
  std::unique_ptr<AtomicFile> output;  // of a file being written; destroyed after `file` is closed
  hdf5::Id file;
  std::optional<LoopWatch> watch;  // of a file being read

  template <class... Parts>
  [[noreturn]] void fail_at(const std::string& object, const Parts&... parts) const {
    fail("file '", path.string(), "', '", object, "': ", parts...);
  }
  /// The file that a link to another file leads to; empty when it is not such a link.
  std::string elsewhere(const std::string& path_in_file) const;
  [[noreturn]] void fail_elsewhere(const std::string& object, const std::string& other) const;
  bool is_linked(const std::string& path_in_file) const;
  bool exists(const std::string& object) const;
  hdf5::Id open_object(const std::string& name) const;
  hdf5::Id object(const std::string& name) const;
  hdf5::Id dataset(const std::string& name) const;
  hdf5::Id type(const std::string& name, hid_t dataset) const;
  /// Throws unless the members of a compound type, at any depth, lie within their record. Otherwise the
  /// library would read and write beyond it.
  void check_record(const std::string& name, hid_t type) const;
  /// The extents of a dataspace. Throws if they are impossible.
  Shape shape(const std::string& name, hid_t space) const;
  /// Size of the file on disk, in bytes.
  hsize_t bytes() const;
  /// Throws unless `extents` items of `item` bytes can come from the bytes that the dataset occupies or, up
  /// to kMostFilled elements, from its fill value.
  void check_storage(const std::string& name, hid_t dataset, const Shape& extents, std::size_t item) const;
  /// Whether a dataset has so many chunks that check_storage(), which visits each, takes noticeable time.
  bool has_many_chunks(hid_t dataset, const Shape& extents) const;
  /// Throws the reason why numbers of a dataset could not be read as `type`: a missing filter, or damage.
  /// `where` is "row 3: ", or empty for the whole dataset.
  [[noreturn]] void fail_reading(const std::string& name, hid_t dataset, Hdf5Number type,
                                 const std::string& where = "") const;
  bool has_attribute(const std::string& object, hid_t owner, const std::string& key) const;
  hdf5::Id attribute(const std::string& object, const std::string& key) const;
  /// A new dataset; unless it is empty, in chunks with checksums.
  hdf5::Id make_dataset(const std::string& name, hid_t type, const Shape& shape) const;
  void replace_attribute(const std::string& object, const std::string& key, hid_t type, hid_t space,
                         const void* value) const;

  // Number of elements, by dataset, that were requested but never written.
  mutable std::map<std::string, hsize_t> filled;
};

/// A call into the library, which is used by one thread at a time. A crash during the call is the fault of the file,
/// and reason() reports only failures of the call.
class Hdf5File::Call {
 public:
  using Work = CrashGuard::Work;
  explicit Call(const State& state, Work work = Work::kStructure);

 private:
  std::unique_lock<std::recursive_mutex> turn_;  // released last
  CrashGuard guard_;
};

}  // namespace umbra
