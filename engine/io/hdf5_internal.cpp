#include "engine/io/hdf5_internal.h"

#include <algorithm>
#include <cmath>

namespace umbra {
namespace hdf5 {

namespace {

std::string last_reason;

// Called by HDF5 at the moment of a failure. Later would be too late: the next call, even one that closes a
// handle, discards the reason.
herr_t take_down_reason(hid_t, void*) {
  last_reason.clear();
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned depth, const H5E_error2_t* entry, void*) -> herr_t {
        if (depth == 0 && entry->desc) last_reason = entry->desc;
        return 0;
      },
      nullptr);
  return 0;
}

// The library, before its first use by this thread: it may keep errors per thread.
void prepare_hdf5() {
  // HDF5 must not clean up at the end of the program: everything here closes itself, and after a full disk
  // HDF5 1.10 crashes during that clean-up.
  static const herr_t once = H5dont_atexit();
  thread_local const herr_t in_this_thread = H5Eset_auto2(H5E_DEFAULT, take_down_reason, nullptr);
  static_cast<void>(once);
  static_cast<void>(in_this_thread);
}

}  // namespace

// A call may consist of others.
std::unique_lock<std::recursive_mutex> take_turn() {
  static std::recursive_mutex turn;
  std::unique_lock<std::recursive_mutex> taken(turn);
  prepare_hdf5();
  last_reason.clear();
  return taken;
}

std::string reason() {
  std::string text = std::exchange(last_reason, {});
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 32; }, ' ');
  return text.empty() ? text : " (" + text.substr(0, 200) + ")";
}

hid_t memory_type(Hdf5Number type) {
  switch (type) {
    case Hdf5Number::kF32:
      return H5T_NATIVE_FLOAT;
    case Hdf5Number::kF64:
      return H5T_NATIVE_DOUBLE;
    case Hdf5Number::kI32:
      return H5T_NATIVE_INT32;
    case Hdf5Number::kI64:
      return H5T_NATIVE_INT64;
    case Hdf5Number::kU8:
      return H5T_NATIVE_UINT8;
  }
  return -1;
}

bool is_integer(Hdf5Number type) {
  return type != Hdf5Number::kF32 && type != Hdf5Number::kF64;
}

Hdf5Kind kind_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return Hdf5Kind::kFloat;
    case H5T_INTEGER:
      return Hdf5Kind::kInteger;
    case H5T_STRING:
      return Hdf5Kind::kString;
    case H5T_COMPOUND:
      return Hdf5Kind::kCompound;
    default:
      return Hdf5Kind::kOther;
  }
}

Id strict_transfer() {
  Id transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
  H5Pset_type_conv_cb(
      transfer.get(),
      [](H5T_conv_except_t what, hid_t from, hid_t, void* value, void*, void*) {
        if (what != H5T_CONV_EXCEPT_RANGE_HI && what != H5T_CONV_EXCEPT_RANGE_LOW) return H5T_CONV_UNHANDLED;
        // The compiler's double-to-float conversion reports infinity as out of range, which it is not.
        const bool infinite =
            H5Tequal(from, H5T_NATIVE_DOUBLE) > 0 && std::isinf(*static_cast<double*>(value));
        return infinite ? H5T_CONV_UNHANDLED : H5T_CONV_ABORT;
      },
      nullptr);
  return transfer;
}

std::optional<std::string> refusal(hid_t stored, Hdf5Number wanted) {
  const Hdf5Kind kind = kind_of(stored);
  if (kind == Hdf5Kind::kInteger || (kind == Hdf5Kind::kFloat && !is_integer(wanted))) return std::nullopt;
  return is_integer(wanted) ? "integers are expected" : "numbers are expected";
}

std::string normal(const std::string& path) {
  const std::size_t begin = path.find_first_not_of('/');
  if (begin == std::string::npos) return "/";
  return path.substr(begin, path.find_last_not_of('/') - begin + 1);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace hdf5

using namespace hdf5;

namespace {

// Link access under which a link to another file is not followed, not even one that a soft link leads to. The
// name of that file is written to `other`.
Id own_links_only(std::string& other) {
  Id access(H5Pcreate(H5P_LINK_ACCESS), H5Pclose);
  H5Pset_elink_cb(
      access.get(),
      [](const char*, const char*, const char* target, const char*, unsigned*, hid_t, void* out) -> herr_t {
        *static_cast<std::string*>(out) = target;
        return -1;
      },
      &other);
  return access;
}

}  // namespace

Hdf5File::Call::Call(const State& state, Work work)
    : turn_(take_turn()), guard_(state.output ? nullptr : state.path.c_str(), work) {}

Hdf5File::State::~State() {
  const Call call(*this);
  file.close();
}

void Hdf5File::State::fail_elsewhere(const std::string& object, const std::string& other) const {
  fail_at(object, "it is a link to '", other,
          "', another file; such links are not followed, so copy the data into one file first");
}

std::string Hdf5File::State::elsewhere(const std::string& path_in_file) const {
  H5L_info_t info;
  if (H5Lget_info(file.get(), path_in_file.c_str(), &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_EXTERNAL)
    return "";
  constexpr std::size_t kLongest = std::size_t{1} << 16;
  std::string value(std::min(info.u.val_size, kLongest), '\0');
  const char *target = nullptr, *object = nullptr;
  unsigned flags = 0;
  const bool known =
      H5Lget_val(file.get(), path_in_file.c_str(), value.data(), value.size(), H5P_DEFAULT) >= 0 &&
      H5Lunpack_elink_val(value.data(), value.size(), &flags, &target, &object) >= 0;
  return known ? target : "?";
}

// Whether there is a link at `path`, whose parent is a group. Damage is an error and not an absence: a column
// must not disappear because its header is damaged or because it is stored in another file.
bool Hdf5File::State::is_linked(const std::string& path_in_file) const {
  const htri_t exists_here = H5Lexists(file.get(), path_in_file.c_str(), H5P_DEFAULT);
  if (exists_here == 0) return false;
  H5L_info_t info;
  if (exists_here < 0 || H5Lget_info(file.get(), path_in_file.c_str(), &info, H5P_DEFAULT) < 0)
    fail_at(path_in_file, "the group that contains it is damaged", reason());
  if (info.type == H5L_TYPE_EXTERNAL) fail_elsewhere(path_in_file, elsewhere(path_in_file));
  if (info.type == H5L_TYPE_SOFT) {
    std::string other;  // the file, where one link leads to another
    const bool found = H5Oexists_by_name(file.get(), path_in_file.c_str(), own_links_only(other).get()) > 0;
    if (!other.empty()) fail_elsewhere(path_in_file, other);
    if (!found) fail_at(path_in_file, "it is a link that leads nowhere");
    return true;
  }
  return info.type == H5L_TYPE_HARD;
}

bool Hdf5File::State::exists(const std::string& name) const {
  const std::string object = normal(name);
  if (object == "/") return true;
  for (std::size_t slash = object.find('/'); slash != std::string::npos;
       slash = object.find('/', slash + 1)) {
    const std::string parent = object.substr(0, slash);
    if (!is_linked(parent)) return false;
    const Id id = open_object(parent);
    if (H5Iget_type(id.get()) != H5I_GROUP) return false;
  }
  return is_linked(object);
}

// For a name that exists(): no link to another file is part of the path.
Id Hdf5File::State::open_object(const std::string& name) const {
  Id id(H5Oopen(file.get(), normal(name).c_str(), H5P_DEFAULT), H5Oclose);
  if (!id) fail_at(name, "it is damaged and cannot be opened", reason());
  return id;
}

Id Hdf5File::State::object(const std::string& name) const {
  if (!exists(name)) fail_at(name, "there is no such object in the file");
  return open_object(name);
}

Id Hdf5File::State::dataset(const std::string& name) const {
  Id id = object(name);
  if (H5Iget_type(id.get()) != H5I_DATASET) fail_at(name, "a dataset is expected, not a group");
  return id;
}

Id Hdf5File::State::type(const std::string& name, hid_t dataset) const {
  Id id(H5Dget_type(dataset), H5Tclose);
  if (!id) fail_at(name, "its type is damaged", reason());
  return id;
}

Shape Hdf5File::State::shape(const std::string& name, hid_t space) const {
  if (space < 0 || H5Sget_simple_extent_type(space) == H5S_NULL) fail_at(name, "it holds no data", reason());
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > Shape::kMaxRank)
    fail_at(name, "it has ", rank, " dimensions, at most ", Shape::kMaxRank, " are expected");
  hsize_t extents[Shape::kMaxRank] = {};
  if (H5Sget_simple_extent_dims(space, extents, nullptr) < 0)
    fail_at(name, "its extents are damaged", reason());
  std::int64_t signed_extents[Shape::kMaxRank] = {};
  hsize_t count = 1;
  for (int i = 0; i < rank; ++i) {
    // 2^48 elements exceed any machine. Up to that limit, products of extents and bytes do not overflow.
    if (extents[i] > (hsize_t{1} << 48) / std::max<hsize_t>(count, 1))
      fail_at(name, "its extents are absurdly large, the file is damaged");
    count *= extents[i];
    signed_extents[i] = static_cast<std::int64_t>(extents[i]);
  }
  return Shape(std::span<const std::int64_t>(signed_extents, static_cast<std::size_t>(rank)));
}

Id Hdf5File::State::attribute(const std::string& object_name, const std::string& key) const {
  const Id owner = object(object_name);
  if (!has_attribute(object_name, owner.get(), key))
    fail_at(object_name, "the attribute '", key, "' is missing");
  Id id(H5Aopen(owner.get(), key.c_str(), H5P_DEFAULT), H5Aclose);
  if (!id) fail_at(object_name, "the attribute '", key, "' is damaged", reason());
  return id;
}

bool Hdf5File::State::has_attribute(const std::string& object_name, hid_t owner,
                                    const std::string& key) const {
  const htri_t exists_here = H5Aexists(owner, key.c_str());
  if (exists_here < 0) fail_at(object_name, "its attributes are damaged", reason());
  return exists_here > 0;
}

void Hdf5File::State::replace_attribute(const std::string& object_name, const std::string& key, hid_t type,
                                        hid_t space, const void* value) const {
  const Id owner = object(object_name);
  if (H5Aexists(owner.get(), key.c_str()) > 0) H5Adelete(owner.get(), key.c_str());
  const Id id(H5Acreate2(owner.get(), key.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!id || H5Awrite(id.get(), type, value) < 0)
    fail_at(object_name, "the attribute '", key, "' cannot be written", reason());
}

}  // namespace umbra
