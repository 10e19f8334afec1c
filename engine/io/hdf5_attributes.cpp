#include "engine/io/hdf5_internal.h"

namespace umbra {

using namespace hdf5;

namespace {

constexpr std::int64_t kMostNumbers = 1 << 20;
constexpr std::size_t kLongestText = std::size_t{1} << 20;

}  // namespace

bool Hdf5File::has_attribute(const std::string& object, const std::string& key) const {
  return has(object) && state_->has_attribute(object, state_->object(object).get(), key);
}

std::vector<double> Hdf5File::attribute_numbers(const std::string& object, const std::string& key) const {
  const Id attribute = state_->attribute(object, key);
  const Id type(H5Aget_type(attribute.get()), H5Tclose);
  const Id space(H5Aget_space(attribute.get()), H5Sclose);
  const Hdf5Kind kind = kind_of(type.get());
  if (kind != Hdf5Kind::kFloat && kind != Hdf5Kind::kInteger)
    state_->fail_at(object, "the attribute '", key, "' must be a number");
  const Shape shape = state_->shape(object, space.get());
  if (shape.count() > kMostNumbers) state_->fail_at(object, "the attribute '", key, "' is absurdly large");
  std::vector<double> values(static_cast<std::size_t>(shape.count()));
  if (!values.empty() && H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, values.data()) < 0)
    state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
  return values;
}

double Hdf5File::attribute_number(const std::string& object, const std::string& key) const {
  const std::vector<double> values = attribute_numbers(object, key);
  if (values.size() != 1)
    state_->fail_at(object, "the attribute '", key, "' must be one number, not ", values.size());
  return values[0];
}

std::int64_t Hdf5File::attribute_integer(const std::string& object, const std::string& key) const {
  attribute_number(object, key);  // one element, a number
  const Id attribute = state_->attribute(object, key);
  const Id type(H5Aget_type(attribute.get()), H5Tclose);
  if (const auto problem = refusal(type.get(), DType::kI64))
    state_->fail_at(object, "the attribute '", key, "': ", *problem);
  std::int64_t value = 0;
  if (H5Aread(attribute.get(), H5T_NATIVE_INT64, &value) < 0)
    state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
  return value;
}

std::string Hdf5File::attribute_text(const std::string& object, const std::string& key) const {
  const Id attribute = state_->attribute(object, key);
  const Id type(H5Aget_type(attribute.get()), H5Tclose);
  const Id space(H5Aget_space(attribute.get()), H5Sclose);
  if (kind_of(type.get()) != Hdf5Kind::kString || state_->shape(object, space.get()).count() != 1)
    state_->fail_at(object, "the attribute '", key, "' must be one text");
  // Texts are stored either in place or, of variable length, as a pointer.
  const Id memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_cset(memory.get(), H5Tget_cset(type.get()));
  if (H5Tis_variable_str(type.get()) > 0) {
    H5Tset_size(memory.get(), H5T_VARIABLE);
    char* text = nullptr;
    if (H5Aread(attribute.get(), memory.get(), &text) < 0)
      state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
    const std::string copy = text ? text : "";
    H5free_memory(text);
    return copy;
  }
  const std::size_t size = H5Tget_size(type.get());
  if (size > kLongestText) state_->fail_at(object, "the attribute '", key, "' is absurdly long");
  std::string text(size + 1, '\0');
  H5Tset_size(memory.get(), size + 1);
  if (H5Aread(attribute.get(), memory.get(), text.data()) < 0)
    state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
  return text.c_str();
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key, double value) {
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_DOUBLE, space.get(), &value);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key, std::int64_t value) {
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_INT64, space.get(), &value);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key,
                             std::span<const double> values) {
  const hsize_t extent = values.size();
  const Id space(H5Screate_simple(1, &extent, nullptr), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_DOUBLE, space.get(), values.data());
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key, const std::string& text) {
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  const Id type(H5Tcopy(H5T_C_S1), H5Tclose);
  // In place: texts of variable length live in a heap without checksum, in whose damage HDF5 1.10 loops for
  // ever.
  H5Tset_size(type.get(), text.size() + 1);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  state_->replace_attribute(object, key, type.get(), space.get(), text.c_str());
}

}  // namespace umbra
