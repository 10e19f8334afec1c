#include "data/tables/content.h"

#include <fstream>

#include "engine/base/error.h"
#include "engine/io/text_reader.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n"sv;

// A block for the user of the file may be before the signature of HDF5.
bool is_hdf5(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string signature(kHdf5.size(), '\0');
  for (std::streamoff offset = 0; offset <= 4096; offset = offset == 0 ? 512 : 2 * offset) {
    in.seekg(offset);
    in.read(signature.data(), static_cast<std::streamsize>(signature.size()));
    if (!in) return false;
    if (signature == kHdf5) return true;
  }
  return false;
}

// The length of a header of JSON, in 8 bytes, then its '{'.
bool is_safetensors(std::string_view bytes) {
  return bytes.size() > 9 && bytes[8] == '{' && bytes.substr(4, 4) == "\0\0\0\0"sv;
}

}  // namespace

std::string first_bytes(const fs::path& path, std::size_t size) {
  std::string bytes(size, '\0');
  ByteReader reader(path);
  bytes.resize(reader.read(bytes.data(), size));
  return bytes;
}

Content content_of(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  require(fs::exists(status), "file '", path.string(), "' does not exist");
  if (fs::is_directory(status)) return Content::kFolder;
  if (!fs::is_regular_file(status)) return Content::kText;
  constexpr std::size_t kBytes = 4096;
  const std::string bytes = first_bytes(path, kBytes);
  if (is_hdf5(path)) return Content::kHdf5;
  if (bytes.starts_with("SIMPLE  =")) return Content::kFits;
  if (bytes.starts_with("PAR1")) return Content::kParquet;
  if (bytes.starts_with("\x93NUMPY") || bytes.starts_with("PK\x03\x04")) return Content::kNumpy;
  if (is_safetensors(bytes)) return Content::kSafetensors;
  // UTF-16 has no character 0; binary data that begin with its mark usually contain zeros.
  const bool has_zeros = (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) &&
                         bytes.find("\0\0"sv) != std::string::npos;
  if (!why_not_plain(bytes).empty() && !has_zeros) return Content::kText;
  const std::size_t begin = bytes.find_first_not_of(" \t\r\n");
  if (begin != std::string::npos && bytes[begin] == '{') return Content::kJson;
  for (const char c : bytes) {
    const bool control =
        static_cast<unsigned char>(c) < 32 && c != '\t' && c != '\n' && c != '\r' && c != '\f';
    if (control) return Content::kOther;
  }
  return Content::kText;
}

}  // namespace umbra
