// Checks whether a file can contain what it claims, and reports why data cannot be read.
#include <algorithm>

#include "engine/io/hdf5_internal.h"

namespace umbra {

using namespace hdf5;

namespace {

// Filters of other packages, by their registered numbers.
std::string filter_name(H5Z_filter_t filter, const char* stored) {
  constexpr std::pair<H5Z_filter_t, const char*> kKnown[] = {
      {307, "bzip2"}, {32000, "lzf"},  {32001, "blosc"}, {32004, "lz4"},    {32008, "bitshuffle"},
      {32013, "zfp"}, {32015, "zstd"}, {32017, "sz"},    {32026, "blosc2"}, {H5Z_FILTER_SZIP, "szip"}};
  for (const auto& [number, name] : kKnown)
    if (number == filter) return name;
  return stored[0] != 0 ? stored : std::to_string(filter);
}

// The first filter of a dataset that this HDF5 library does not have; empty if it has all.
std::string missing_filter(hid_t creation) {
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    char name[64] = {};
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr,
                                               sizeof name - 1, name, &config);
    if (filter >= 0 && H5Zfilter_avail(filter) <= 0) return filter_name(filter, name);
  }
  return "";
}

std::string_view name_of(Hdf5Number type) {
  constexpr std::string_view kNames[] = {"f32", "f64", "i32", "i64", "u8"};
  return kNames[static_cast<std::size_t>(type)];
}

// No general-purpose filter of HDF5 compresses better than deflate at its best, about 1030 to 1.
constexpr hsize_t kMostCompression = 1100;
// The longest element (a row of a table) that is accepted. With at most 2^48 elements, the product of the two
// does not overflow.
constexpr std::size_t kLargestItem = std::size_t{1} << 15;

// The largest number of bytes in memory per stored byte that an undamaged file can have with its filters.
hsize_t most_expansion(hid_t creation) {
  const int filters = H5Pget_nfilters(creation);
  hsize_t expansion = 1;
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_FLETCHER32 && filter != H5Z_FILTER_SHUFFLE) expansion = kMostCompression;
  }
  return expansion;
}

}  // namespace

void Hdf5File::State::check_record(const std::string& name, hid_t type) const {
  if (kind_of(type) != Hdf5Kind::kCompound) return;
  const std::size_t record = H5Tget_size(type);
  const int count = H5Tget_nmembers(type);
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<unsigned>(i);
    const Id member(H5Tget_member_type(type, index), H5Tclose);
    const std::size_t offset = H5Tget_member_offset(type, index), size = H5Tget_size(member.get());
    if (!member || size == 0 || size > record || offset > record - size)
      fail_at(name, "its type is damaged: member ", i, " of a record of ", record, " bytes lies at byte ",
              offset, " and has ", size);
    check_record(name, member.get());
  }
}

// A file can claim chunks that do not exist. Every existing chunk has at least 8 bytes in an index.
bool Hdf5File::State::has_many_chunks(hid_t dataset, const Shape& extents) const {
  constexpr hsize_t kMany = 100'000;  // 0.01 s of work
  const Id creation(H5Dget_create_plist(dataset), H5Pclose);
  hsize_t chunk[H5S_MAX_RANK] = {}, chunks = 1;
  if (H5Pget_layout(creation.get()) != H5D_CHUNKED ||
      H5Pget_chunk(creation.get(), H5S_MAX_RANK, chunk) != extents.rank())
    return false;
  for (int i = 0; i < extents.rank(); ++i) {
    const hsize_t length = std::max<hsize_t>(chunk[i], 1);
    chunks *= (static_cast<hsize_t>(extents[i]) + length - 1) / length;
  }
  return std::min(chunks, bytes() / 8) > kMany;
}

hsize_t Hdf5File::State::bytes() const {
  std::error_code ignored;
  return std::filesystem::file_size(output ? output->temporary() : path, ignored);
}

void Hdf5File::State::check_storage(const std::string& name, hid_t dataset, const Shape& extents,
                                    std::size_t item) const {
  const Id creation(H5Dget_create_plist(dataset), H5Pclose);
  if (!creation) fail_at(name, "its layout is damaged", reason());
  if (item == 0 || item > kLargestItem) fail_at(name, "its elements of ", item, " bytes are absurd");
  if (H5Pget_layout(creation.get()) == H5D_VIRTUAL || H5Pget_external_count(creation.get()) > 0)
    fail_at(name, "its data are stored in other files, which is not supported");
  const hsize_t stored = std::min<hsize_t>(H5Dget_storage_size(dataset), bytes());
  const hsize_t claimed = static_cast<hsize_t>(extents.count()) * item, most = most_expansion(creation.get());
  if (claimed / most <= stored) return;
  // The rest was never written and reads as the fill value.
  H5D_fill_value_t fill = H5D_FILL_VALUE_ERROR;
  H5Pfill_value_defined(creation.get(), &fill);
  filled[name] = (claimed - stored * most) / item;
  hsize_t all = 0;
  for (const auto& [dataset_name, elements] : filled) all += elements;
  if (all > static_cast<hsize_t>(kMostFilled) || fill == H5D_FILL_VALUE_UNDEFINED ||
      fill == H5D_FILL_VALUE_ERROR)
    fail_at(name, "its shape ", extents.text(), " needs ", claimed, " bytes, but only ", stored,
            " are stored; more elements are missing than are read as fill values");
}

void Hdf5File::State::fail_reading(const std::string& name, hid_t dataset, Hdf5Number type,
                                   const std::string& where) const {
  const std::string why = reason();
  const Id creation(H5Dget_create_plist(dataset), H5Pclose);
  if (const std::string filter = creation ? missing_filter(creation.get()) : ""; !filter.empty())
    fail_at(name, where, "it is compressed with the filter ", filter,
            ", which the HDF5 library here does not have; 'h5repack -f GZIP=4' where the filter is installed "
            "makes a file that every program reads");
  fail_at(name, where, "its data are damaged or do not fit into ", name_of(type), why);
}

std::optional<std::int64_t> Hdf5File::find_offset(const std::string& name, Hdf5Number type) const {
  check(name, "", type);
  const Call call(*state_);
  const Id dataset = state_->dataset(name);
  const Id stored = state_->type(name, dataset.get());
  const Id creation(H5Dget_create_plist(dataset.get()), H5Pclose);
  const haddr_t offset = H5Dget_offset(dataset.get());
  const bool plain = H5Pget_layout(creation.get()) == H5D_CONTIGUOUS && offset != HADDR_UNDEF &&
                     // An empty dataset in a file with a user block reports an offset, too.
                     H5Dget_storage_size(dataset.get()) > 0 && H5Tequal(stored.get(), memory_type(type)) > 0;
  return plain ? std::optional(static_cast<std::int64_t>(offset)) : std::nullopt;
}

template <class T>
std::optional<std::int64_t> Hdf5File::offset(const std::string& dataset) const {
  return find_offset(dataset, hdf5_number<T>);
}
template std::optional<std::int64_t> Hdf5File::offset<float>(const std::string&) const;
template std::optional<std::int64_t> Hdf5File::offset<double>(const std::string&) const;
template std::optional<std::int64_t> Hdf5File::offset<std::int32_t>(const std::string&) const;
template std::optional<std::int64_t> Hdf5File::offset<std::int64_t>(const std::string&) const;
template std::optional<std::int64_t> Hdf5File::offset<std::uint8_t>(const std::string&) const;

}  // namespace umbra
