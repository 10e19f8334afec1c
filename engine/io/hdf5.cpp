#include "engine/io/hdf5.h"

#include <algorithm>

#include "engine/io/hdf5_internal.h"
#include "engine/io/hdf5_rows.h"

namespace umbra {

using namespace hdf5;

bool Hdf5File::has(const std::string& object) const {
  const Call call(*state_);
  return state_->exists(object);
}

bool Hdf5File::has_group(const std::string& object) const {
  const Call call(*state_);
  return has(object) && H5Iget_type(state_->object(object).get()) == H5I_GROUP;
}

bool Hdf5File::has_dataset(const std::string& object) const {
  const Call call(*state_);
  return has(object) && H5Iget_type(state_->object(object).get()) == H5I_DATASET;
}

Hdf5Entry Hdf5File::describe(const std::string& name) const {
  const Call call(*state_);
  const Id object = state_->object(name);
  Hdf5Entry entry;
  const std::string path = normal(name);
  entry.name = path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
  switch (H5Iget_type(object.get())) {
    case H5I_GROUP:
      entry.kind = Hdf5Kind::kGroup;
      return entry;
    case H5I_DATASET:
      break;
    default:
      entry.kind = Hdf5Kind::kOther;
      return entry;
  }
  const Id type = state_->type(name, object.get());
  const Id space(H5Dget_space(object.get()), H5Sclose);
  entry.kind = kind_of(type.get());
  entry.item_size = H5Tget_size(type.get());
  entry.shape = state_->shape(name, space.get());
  const Id creation(H5Dget_create_plist(object.get()), H5Pclose);
  hsize_t chunk[H5S_MAX_RANK] = {};
  if (H5Pget_layout(creation.get()) == H5D_CHUNKED && H5Pget_chunk(creation.get(), H5S_MAX_RANK, chunk) > 0)
    entry.chunk_rows = static_cast<std::int64_t>(chunk[0]);
  return entry;
}

std::vector<Hdf5Entry> Hdf5File::list(const std::string& group) const {
  const Call call(*state_);
  const Id id = state_->object(group);
  if (H5Iget_type(id.get()) != H5I_GROUP) state_->fail_at(group, "a group is expected, not a dataset");
  H5G_info_t info;
  if (H5Gget_info(id.get(), &info) < 0) state_->fail_at(group, "it is damaged", reason());
  std::vector<Hdf5Entry> entries;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    char name[1024] = {};
    // In native order: for any other the library makes a table of all links, which it frees wrongly in damaged files.
    if (H5Lget_name_by_idx(id.get(), ".", H5_INDEX_NAME, H5_ITER_NATIVE, i, name, sizeof name, H5P_DEFAULT) <
        0)
      state_->fail_at(group, "its list of names is damaged", reason());
    const std::string path = normal(group + "/" + name);
    if (has(path)) entries.push_back(describe(path));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Hdf5Entry& a, const Hdf5Entry& b) { return a.name < b.name; });
  return entries;
}

std::vector<std::string> Hdf5File::members(const std::string& name) const {
  const Call call(*state_);
  const Id dataset = state_->dataset(name);
  const Id type = state_->type(name, dataset.get());
  if (kind_of(type.get()) != Hdf5Kind::kCompound)
    state_->fail_at(name, "a table (compound type) is expected");
  state_->check_record(name, type.get());
  std::vector<std::string> names;
  const int count = H5Tget_nmembers(type.get());
  for (int i = 0; i < count; ++i) {
    char* member = H5Tget_member_name(type.get(), static_cast<unsigned>(i));
    if (!member) state_->fail_at(name, "its type is damaged", reason());
    names.emplace_back(member);
    H5free_memory(member);
  }
  return names;
}

Shape Hdf5File::check(const std::string& name, const std::string& member, Hdf5Number wanted) const {
  std::optional<Call> call(std::in_place, *state_);
  const Id dataset = state_->dataset(name);
  const Id type = state_->type(name, dataset.get());
  state_->check_record(name, type.get());
  std::optional<std::string> problem;
  if (member.empty()) {
    problem = refusal(type.get(), wanted);
  } else {
    const std::vector<std::string> names = members(name);
    const auto found = std::find(names.begin(), names.end(), member);
    if (found == names.end()) state_->fail_at(name, "the column '", member, "' is missing");
    const Id item(H5Tget_member_type(type.get(), static_cast<unsigned>(found - names.begin())), H5Tclose);
    problem = refusal(item.get(), wanted);
    if (problem) problem = "column '" + member + "': " + *problem;
  }
  if (problem) state_->fail_at(name, *problem);
  const Id space(H5Dget_space(dataset.get()), H5Sclose);
  const Shape shape = state_->shape(name, space.get());
  if (!member.empty() && shape.rank() != 1) state_->fail_at(name, "a one-dimensional table is expected");
  if (state_->has_many_chunks(dataset.get(), shape)) call.emplace(*state_, Call::Work::kNumbers);
  state_->check_storage(name, dataset.get(), shape, H5Tget_size(type.get()));
  return shape;
}

void Hdf5File::load(const std::string& name, const std::string& member, Hdf5Number type, void* data) const {
  const Call call(*state_, Call::Work::kNumbers);
  const Id dataset = state_->dataset(name);
  Id memory(H5Tcopy(memory_type(type)), H5Tclose);
  if (!member.empty()) {
    Id record(H5Tcreate(H5T_COMPOUND, H5Tget_size(memory_type(type))), H5Tclose);
    H5Tinsert(record.get(), member.c_str(), 0, memory_type(type));
    memory = std::move(record);
  }
  if (H5Dread(dataset.get(), memory.get(), H5S_ALL, H5S_ALL, strict_transfer().get(), data) < 0)
    state_->fail_reading(member.empty() ? name : name + "' column '" + member, dataset.get(), type);
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& dataset) const {
  std::vector<T> data(static_cast<std::size_t>(check(dataset, "", hdf5_number<T>).count()));
  if (!data.empty()) load(dataset, "", hdf5_number<T>, data.data());
  return data;
}

template <class T>
void Hdf5File::read_into(const std::string& dataset, const Shape& expected, std::span<T> data) const {
  const Shape shape = check(dataset, "", hdf5_number<T>);
  if (shape != expected)
    state_->fail_at(dataset, "its shape is ", shape.text(), ", ", expected.text(), " is expected");
  if (static_cast<std::int64_t>(data.size()) != expected.count())
    state_->fail_at(dataset, "the buffer holds ", data.size(), " numbers, but the shape is ",
                    expected.text());
  if (!data.empty()) load(dataset, "", hdf5_number<T>, data.data());
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& dataset, const Shape& expected) const {
  const Shape shape =
      check(dataset, "", hdf5_number<T>);  // before the allocation, because `expected` may come from a file
  if (shape != expected)
    state_->fail_at(dataset, "its shape is ", shape.text(), ", ", expected.text(), " is expected");
  return read<T>(dataset);
}

template <class T>
void Hdf5File::read_part(const std::string& dataset, std::int64_t first, std::span<T> data) const {
  const Hdf5Rows rows = Hdf5Rows::open<T>(*this, dataset, 0);
  const Shape& shape = rows.shape();
  if (shape.rank() != 1)
    state_->fail_at(dataset, "its shape is ", shape.text(), ", but one dimension is expected");
  const auto count = static_cast<std::int64_t>(data.size());
  if (first < 0 || count > shape.count() || first > shape.count() - count)
    state_->fail_at(dataset, "it has ", shape.count(), " elements, but ", count, " from element ", first,
                    " on were requested");
  rows.read<T>(first, data);
}

template <class T>
void Hdf5File::read_rows(const std::string& dataset, std::int64_t first, std::span<T> data) const {
  Hdf5Rows::open<T>(*this, dataset, 0).template read<T>(first, data);
}

template <class T>
std::vector<T> Hdf5File::read_member(const std::string& dataset, const std::string& member) const {
  std::vector<T> data(static_cast<std::size_t>(check(dataset, member, hdf5_number<T>).count()));
  if (!data.empty()) load(dataset, member, hdf5_number<T>, data.data());
  return data;
}

#define UMBRA_HDF5_INSTANTIATE(T)                                                             \
  template std::vector<T> Hdf5File::read<T>(const std::string&) const;                        \
  template std::vector<T> Hdf5File::read<T>(const std::string&, const Shape&) const;          \
  template void Hdf5File::read_into<T>(const std::string&, const Shape&, std::span<T>) const; \
  template void Hdf5File::read_part<T>(const std::string&, std::int64_t, std::span<T>) const; \
  template void Hdf5File::read_rows<T>(const std::string&, std::int64_t, std::span<T>) const; \
  template std::vector<T> Hdf5File::read_member<T>(const std::string&, const std::string&) const;
UMBRA_HDF5_INSTANTIATE(float)
UMBRA_HDF5_INSTANTIATE(double)
UMBRA_HDF5_INSTANTIATE(std::int32_t)
UMBRA_HDF5_INSTANTIATE(std::int64_t)
UMBRA_HDF5_INSTANTIATE(std::uint8_t)
#undef UMBRA_HDF5_INSTANTIATE

}  // namespace umbra
