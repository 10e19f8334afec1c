// How messages and settings call classes and values.
#include "engine/base/error.h"
#include "models/tasks/dataset/augmentation.h"
#include "models/tasks/dataset/data_file.h"

namespace umbra {

std::string Targets::text_of(std::int64_t index) const {
  const auto at = static_cast<std::size_t>(index);
  return names.empty() ? std::to_string(index) : concat(index, " ('", names[at], "')");
}

std::vector<std::int64_t> Targets::mirror(const std::vector<std::string>& pairs,
                                          const std::string& where) const {
  MirrorNames called{outputs(), names, {class_numbers.begin(), class_numbers.end()}};
  for (std::int64_t i = 0; i < outputs() && class_numbers.empty() && !only_names; ++i)
    called.numbers.push_back(i);
  return mirror_of(pairs, called, where);
}

}  // namespace umbra
