#include "tests/mutated/seeds.h"

#include <array>
#include <fstream>
#include <iterator>

#include "engine/base/error.h"

namespace umbra::mutated {

const std::vector<Reader>& all_readers() {
  static const std::vector<Reader> all = [] {
    std::vector<Reader> readers;
    for (const auto& group :
         {catalog_readers(), model_readers(), dataset_readers(), text_readers(), image_readers()})
      readers.insert(readers.end(), group.begin(), group.end());
    return readers;
  }();
  return all;
}

bool is_text(const std::string& seed) {
  for (const char* end : {".txt", ".toml", ".list", ".cache"})
    if (seed.ends_with(end)) return true;
  return false;
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
  require(bool(stream), "'", path.string(), "' cannot be written");
}

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace umbra::mutated
