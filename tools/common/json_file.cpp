#include "tools/common/json_file.h"

#include "engine/base/error.h"
#include "engine/io/format_version.h"
#include "engine/io/text_reader.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

std::string text_in(const std::filesystem::path& file) {
  constexpr std::size_t kBlock = 1 << 16;
  ByteReader bytes(file);
  std::string text;
  for (std::size_t got = kBlock; got == kBlock;) {
    const std::size_t before = text.size();
    text.resize(before + kBlock);
    got = bytes.read(text.data() + before, kBlock);
    text.resize(before + got);
  }
  return text;
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what,
                         const std::string& expected) {
  fail(file.string(), ": ", what, "; ", expected, " is expected");
}

// The field that at() did not find; empty if `error` is of another kind.
std::string missing_field(const Json::exception& error) {
  const std::string text = error.what(), begin = "key '", end = "' not found";
  const std::size_t from = text.find(begin), to = text.rfind(end);
  if (from == std::string::npos || to == std::string::npos) return "";
  return text.substr(from + begin.size(), to - from - begin.size());
}

}  // namespace

Json read_json_file(const std::filesystem::path& file, const std::string& expected) {
  Json json = Json::parse(text_in(file), nullptr, false);
  if (!json.is_object()) refuse(file, json.is_discarded() ? "not JSON" : "not a JSON object", expected);
  if (json.contains(kFormatVersionName)) {
    const Json& version = json[kFormatVersionName];
    if (!version.is_number_integer()) refuse(file, "format_version is not a whole number", expected);
    check_format_version(version.get<std::int64_t>(), file.string());
  }
  return json;
}

void refuse_json(const std::filesystem::path& file, const std::string& expected,
                 const Json::exception& error) {
  const std::string field = missing_field(error);
  refuse(file, field.empty() ? "a value has the wrong type" : concat("the field ", field, " is missing"),
         expected);
}

}  // namespace umbra
