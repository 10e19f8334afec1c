#include "engine/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"

namespace umbra {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors data is little-endian and copied as it is");

using Json = nlohmann::ordered_json;
constexpr std::uint64_t kMaxHeader = std::uint64_t{100} << 20;  // the limit of the reference implementation

const char* code_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF64:
      return "F64";
    case DType::kI32:
      return "I32";
    case DType::kI64:
      return "I64";
    case DType::kBf16:
      return "BF16";
  }
  return "";
}

DType dtype_from(const std::string& code, const std::string& where) {
  for (DType dtype : {DType::kF32, DType::kF64, DType::kI32, DType::kI64}) {
    if (code == code_of(dtype)) return dtype;
  }
  fail(where, ": dtype F32, F64, I32 or I64 expected, but it is ", code);
}

struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin, end;
};

// The header entry of one tensor, checked for consistency and against the size of the data.
Entry parse_entry(const std::string& name, const Json& json, std::uint64_t data_bytes,
                  const std::string& file) {
  const std::string where = concat(file, ", tensor ", name);
  const bool well_formed = json.is_object() && json.contains("dtype") && json["dtype"].is_string() &&
                           json.contains("shape") && json["shape"].is_array() &&
                           json.contains("data_offsets") && json["data_offsets"].is_array() &&
                           json["data_offsets"].size() == 2;
  require(well_formed, where, ": the header entry must have dtype, shape and data_offsets [begin, end]");
  Entry entry{name, dtype_from(json["dtype"], where), {}, 0, 0};
  require(json["shape"].size() <= Shape::kMaxRank, where, ": at most ", Shape::kMaxRank,
          " dimensions are supported, not ", json["shape"].size());
  std::vector<std::int64_t> extents;
  std::uint64_t count = 1;
  for (const Json& extent : json["shape"]) {
    require(extent.is_number_unsigned(), where, ": the shape must be a list of non-negative integers");
    const auto value = extent.get<std::uint64_t>();
    require(value == 0 || count <= data_bytes / value, where,
            ": the shape claims more numbers than the file holds");
    count *= value;
    extents.push_back(static_cast<std::int64_t>(value));
  }
  entry.shape = Shape(extents);
  for (const Json& offset : json["data_offsets"]) {
    require(offset.is_number_unsigned(), where, ": data_offsets must be non-negative integers");
  }
  entry.begin = json["data_offsets"][0];
  entry.end = json["data_offsets"][1];
  require(entry.begin <= entry.end && entry.end <= data_bytes, where, ": data_offsets [", entry.begin, ", ",
          entry.end, "] lie outside the ", data_bytes, " bytes of data (is the file truncated?)");
  require(entry.end - entry.begin == count * size_of(entry.dtype), where, ": shape ", entry.shape.text(),
          " needs ", count * size_of(entry.dtype), " bytes, but data_offsets give ", entry.end - entry.begin);
  return entry;
}

std::map<std::string, std::string> parse_metadata(const Json& json, const std::string& file) {
  require(json.is_object(), file, ": __metadata__ must be an object of strings");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    require(value.is_string(), file, ": __metadata__ must be an object of strings, but ", key, " is not one");
    metadata[key] = value;
  }
  return metadata;
}

// Other programs may use this key with a value that is not a number.
void check_version(const std::map<std::string, std::string>& metadata, const std::string& file) {
  const auto found = metadata.find(kFormatVersionName);
  std::int64_t version = 0;
  if (found == metadata.end()) return;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error == std::errc() && end == text.data() + text.size() && version > 0)
    check_format_version(version, file);
}

// As in PyTorch, a list of one number equals a number.
bool same_shape(const Shape& a, const Shape& b) {
  return a == b || (a.count() == 1 && b.count() == 1 && a.rank() <= 1 && b.rank() <= 1);
}

}  // namespace

const Tensor& SafeTensors::at(const std::string& name) const {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const NamedTensor& t) { return t.name == name; });
  require(found != tensors.end(), "no tensor named ", name);
  return found->tensor;
}

SafeTensors read_safetensors(const std::filesystem::path& path) {
  const std::string file = path.string();
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  require(in.good() && std::filesystem::is_regular_file(path), file, ": no such file, or it cannot be read");
  const auto size = static_cast<std::uint64_t>(in.tellg());
  in.seekg(0);
  std::uint64_t header_bytes = 0;
  in.read(reinterpret_cast<char*>(&header_bytes), sizeof header_bytes);
  require(in.good() && header_bytes <= kMaxHeader && header_bytes + 8 <= size, file,
          ": not a safetensors file: the first 8 bytes must be the length of the header");
  std::string text(header_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(header_bytes));
  const Json header = Json::parse(text, nullptr, false);
  require(in.good() && header.is_object(), file,
          ": not a safetensors file: the header must be a JSON object");

  SafeTensors result;
  if (header.contains("__metadata__")) result.metadata = parse_metadata(header["__metadata__"], file);
  check_version(result.metadata, file);
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items())
    if (name != "__metadata__") entries.push_back(parse_entry(name, json, size - 8 - header_bytes, file));
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.begin < b.begin; });
  std::uint64_t expected = 0;  // the format allows neither gaps nor overlaps
  for (const Entry& entry : entries) {
    require(entry.begin == expected, file, ", tensor ", entry.name, ": its data must begin at byte ",
            expected, ", not ", entry.begin);
    expected = entry.end;
    const Tensor tensor = allocate_tensor({}, entry.shape, entry.dtype);
    in.seekg(static_cast<std::streamoff>(8 + header_bytes + entry.begin));
    in.read(static_cast<char*>(tensor.data()), static_cast<std::streamsize>(entry.end - entry.begin));
    require(in.good(), file, ", tensor ", entry.name, ": the file ends too early");
    result.tensors.push_back({entry.name, tensor});
  }
  return result;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header;
  header["__metadata__"] = metadata;
  header["__metadata__"][kFormatVersionName] = std::to_string(kFormatVersion);
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t bytes = static_cast<std::size_t>(tensor.shape().count()) * size_of(tensor.dtype());
    header[name] = {{"dtype", code_of(tensor.dtype())},
                    {"shape", tensor.shape().extents()},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data then starts on an 8-byte boundary
  const std::uint64_t header_bytes = text.size();

  AtomicFile file(path);
  std::ofstream out(file.temporary(), std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const auto& [name, tensor] : tensors) {
    Stream stream(tensor.device());
    const Tensor host = row_major_on_host(tensor, stream);
    out.write(static_cast<const char*>(host.data()), static_cast<std::streamsize>(host.bytes()));
  }
  out.close();
  require(out.good(), path.string(), ": could not be written (is the disk full?)");
  file.commit();
}

void load_state(Module& module, const std::vector<NamedTensor>& from, const std::string& where,
                const std::vector<std::string>& new_layers) {
  const auto is_new = [&](const std::string& name) {
    return std::any_of(new_layers.begin(), new_layers.end(),
                       [&](const std::string& layer) { return name.starts_with(layer + "."); });
  };
  std::map<std::string, Tensor> wanted;
  std::set<std::string> layers(new_layers.begin(), new_layers.end());
  for (const auto& [name, tensor] : module.state()) {
    if (!is_new(name)) wanted.emplace(name, tensor);
    std::erase_if(layers, [&, &of = name](const std::string& layer) { return of.starts_with(layer + "."); });
  }
  require(layers.empty(), "this network has no layer ", layers.empty() ? "" : *layers.begin());
  std::map<std::string, Tensor> given;
  for (const auto& [name, tensor] : from) {
    if (is_new(name)) continue;
    given.emplace(name, tensor);
    const auto found = wanted.find(name);
    require(found != wanted.end(), where, ": tensor ", name, " does not belong to this network");
    require(same_shape(found->second.shape(), tensor.shape()), where, ": tensor ", name, " has shape ",
            tensor.shape().text(), ", but this network's is ", found->second.shape().text());
  }
  // Everything is checked before the first value is written: a wrong file leaves the network unchanged.
  for (const auto& [name, tensor] : wanted) {
    require(given.contains(name) || name.ends_with("num_batches_tracked"), where, ": tensor ", name,
            " is missing");
  }
  for (const auto& [name, tensor] : given) {
    const Tensor& target = wanted.at(name);
    Stream stream(target.device());
    if (target.dtype() == tensor.dtype() && target.shape() == tensor.shape()) {
      assign(target, tensor, stream);
    } else {
      from_host(to_host(tensor, stream), target, stream);
    }
  }
  module.renew_copies();
}

}  // namespace umbra
