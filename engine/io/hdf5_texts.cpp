// Datasets of texts of a fixed length, one after the other without a heap (see set_attribute() for the reason).
#include <algorithm>
#include <cstring>

#include "engine/io/hdf5_internal.h"

namespace umbra {

using namespace hdf5;

namespace {

constexpr std::size_t kLongest = std::size_t{1} << 16;  // of a text

Id text_type(std::size_t size) {
  Id type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), size);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

}  // namespace

void Hdf5File::write_texts(const std::string& path, const std::vector<std::string>& texts) {
  const Call call(*state_);
  const std::string name = normal(path);
  if (has(name)) state_->fail_at(name, "it is already in the file");
  if (const std::string parent = parent_of(name); !parent.empty()) make_group(parent);
  std::size_t size = 1;
  for (const std::string& text : texts) size = std::max(size, text.size() + 1);
  std::string all(size * texts.size(), '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i].copy(all.data() + i * size, size - 1);
  const Id type = text_type(size);
  Id dataset = state_->make_dataset(name, type.get(), Shape{static_cast<std::int64_t>(texts.size())});
  if (!dataset ||
      (!texts.empty() && H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()) < 0))
    state_->fail_at(name, "it cannot be written", reason());
  if (dataset.close() < 0) state_->fail_at(name, "it cannot be written", reason());
}

std::vector<std::string> Hdf5File::read_texts(const std::string& name) const {
  const Call call(*state_, Call::Work::kNumbers);
  const Id dataset = state_->dataset(name);
  const Id stored = state_->type(name, dataset.get());
  const Id space(H5Dget_space(dataset.get()), H5Sclose);
  const Shape shape = state_->shape(name, space.get());
  if (kind_of(stored.get()) != Hdf5Kind::kString || H5Tis_variable_str(stored.get()) != 0 ||
      shape.rank() != 1)
    state_->fail_at(name, "a list of texts of a fixed length is expected");
  const std::size_t size = H5Tget_size(stored.get());
  if (size == 0 || size > kLongest)
    state_->fail_at(name, concat("its texts have ", size, " bytes, but 1 to ", kLongest, " are expected"));
  state_->check_storage(name, dataset.get(), shape, size);
  std::vector<std::string> texts;
  if (shape.count() == 0) return texts;
  std::string all(size * static_cast<std::size_t>(shape.count()), '\0');
  const Id memory(H5Tcopy(stored.get()), H5Tclose);
  if (H5Dread(dataset.get(), memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()) < 0)
    state_->fail_at(name, "it cannot be read", reason());
  for (std::int64_t i = 0; i < shape.count(); ++i) {
    const char* text = all.data() + static_cast<std::size_t>(i) * size;
    texts.emplace_back(text, ::strnlen(text, size));
  }
  return texts;
}

}  // namespace umbra
