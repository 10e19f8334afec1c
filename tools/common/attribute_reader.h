// The attributes of a file's root, checked as they are read.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/error.h"
#include "engine/io/hdf5.h"

namespace umbra {

/// Every function throws Error with the file and the attribute if it is missing or not what is expected.
class AttributeReader {
 public:
  explicit AttributeReader(const Hdf5File& file) : file_(file), where_(file.path().string()) {}
  std::int64_t integer(const char* key, std::int64_t least, std::int64_t most) const {
    const std::int64_t value = file_.attribute_integer("/", key);
    require(value >= least && value <= most, where_, ": the attribute ", key, " is ", value, "; ", least,
            " to ", most, " is expected");
    return value;
  }
  std::uint64_t seed(const char* key) const {
    return static_cast<std::uint64_t>(file_.attribute_integer("/", key));
  }
  double number(const char* key, double least, double most) const {
    const double value = file_.attribute_number("/", key);
    require(value >= least && value <= most, where_, ": the attribute ", key, " is ", value, "; ", least,
            " to ", most, " is expected");
    return value;
  }
  std::string text(const char* key) const { return file_.attribute_text("/", key); }
  // The value of an enumeration, converted by `parse`.
  template <class Parse>
  auto choice(const char* key, const Parse& parse) const {
    try {
      return parse(text(key));
    } catch (const Error& error) {
      fail(where_, ": the attribute ", key, " is damaged: ", error.what());
    }
  }

 private:
  const Hdf5File& file_;
  std::string where_;
};

}  // namespace umbra
