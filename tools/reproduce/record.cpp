#include "tools/reproduce/record.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "engine/io/version.h"
#include "tools/common/json_file.h"
#include "tools/common/tool.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr PartState kStates[] = {PartState::kRunning, PartState::kStopped, PartState::kFailed,
                                 PartState::kFinished};

Json to_json(const PartRecord& record) {
  return {{"name", record.name},
          {"title", record.title},
          {"state", name_of(record.state)},
          {"command", record.command},
          {"identity", record.identity},
          {"version", record.version},
          {"seconds", record.seconds},
          {"peak_memory_bytes", record.peak_memory},
          {"inputs", record.inputs},
          {"checkpoint_before", record.checkpoint_before}};
}

PartRecord from_json(const Json& json, const fs::path& file) {
  PartRecord record{json.at("name"), json.at("title"), json.at("command"), json.at("version"),
                    json.at("identity")};
  const std::string state = json.at("state");
  const auto found = std::find_if(std::begin(kStates), std::end(kStates),
                                  [&](PartState one) { return name_of(one) == state; });
  require(found != std::end(kStates), file.string(), ": the part ", record.name, " has the state '", state,
          "', which does not exist");
  record.state = *found;
  record.seconds = json.at("seconds");
  record.peak_memory = json.at("peak_memory_bytes");
  record.inputs = json.at("inputs").get<std::map<std::string, std::string>>();
  record.checkpoint_before = json.at("checkpoint_before");
  return record;
}

// What follows `folder` in `word`, after `name`; the word if it is not in the folder.
std::string without_folder(const std::string& word, const fs::path& folder, const std::string& name) {
  const std::string prefix = (folder / "").string();
  return word.starts_with(prefix) ? name + word.substr(prefix.size()) : word;
}

}  // namespace

std::string name_of(PartState state) {
  switch (state) {
    case PartState::kRunning:
      return "running";
    case PartState::kStopped:
      return "stopped";
    case PartState::kFailed:
      return "failed";
    case PartState::kFinished:
      return "finished";
  }
  return "";
}

PartsFile::PartsFile(fs::path path) : path_(std::move(path)) {
  if (!fs::exists(path_)) return;
  from_json_file(path_, "the parts.json of a reproduction", [&](const Json& json) {
    for (const Json& record : json.at("parts")) records_.push_back(from_json(record, path_));
  });
}

const PartRecord* PartsFile::find(const std::string& name) const {
  const auto found = std::find_if(records_.begin(), records_.end(),
                                  [&](const PartRecord& record) { return record.name == name; });
  return found == records_.end() ? nullptr : &*found;
}

void PartsFile::set(const PartRecord& record) {
  const auto found = std::find_if(records_.begin(), records_.end(),
                                  [&](const PartRecord& one) { return one.name == record.name; });
  if (found == records_.end())
    records_.push_back(record);
  else
    *found = record;
  write();
}

void PartsFile::write() const {
  Json json;
  json[kFormatVersionName] = kFormatVersion;
  json["parts"] = Json::array();
  for (const PartRecord& one : records_) json["parts"].push_back(to_json(one));
  write_text_file(path_, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string identity_of(const Part& part, const Places& places) {
  if (part.make) return concat("umbra ", version());
  std::string text;
  for (std::size_t i = 0; i < part.command.size(); ++i) {
    std::string word = part.command[i];
    const bool in_out = word.starts_with((places.out / "").string());
    const bool is_input = std::find(part.inputs.begin(), part.inputs.end(), word) != part.inputs.end();
    if (i == 0)
      word = fs::path(word).filename().string();
    else if (in_out)
      word = without_folder(word, places.out, "OUT/");
    else if (is_input)
      word = "INPUT";
    text += (i == 0 ? "" : " ") + shell_word(word);
  }
  return text;
}

std::string content_fingerprint(const std::string& file) {
  std::error_code ignored;
  require(!fs::is_directory(file, ignored), file, ": a file was expected, this is a folder");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rb"), std::fclose);
  require(in != nullptr, "cannot read '", file, "': ", std::strerror(errno));
  // FNV-1a over words of 64 bits; the last one is filled with zeros, and the length follows.
  std::uint64_t hash = 0xcbf29ce484222325, length = 0;
  const auto add = [&](std::uint64_t word) {
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 32;
  };
  std::array<std::uint64_t, 8192> words{};
  for (std::size_t got = sizeof words; got == sizeof words; length += got) {
    words.fill(0);
    got = std::fread(words.data(), 1, sizeof words, in.get());
    for (std::size_t i = 0; i < (got + 7) / 8; ++i) add(words[i]);
  }
  require(std::ferror(in.get()) == 0, "cannot read '", file, "': ", std::strerror(errno));
  add(length);
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace umbra
