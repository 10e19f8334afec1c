#include "tools/common/wrong_words.h"

#include <algorithm>

#include "engine/base/listed.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

// "--box-size=3" is the option "--box-size" with the value "3".
struct Word {
  std::string name, value;
};

Word parted(const std::string& text) {
  const std::size_t sign = text.find('=');
  return sign == std::string::npos ? Word{text, ""} : Word{text.substr(0, sign), text.substr(sign + 1)};
}

std::string without_dashes(const std::string& option) {
  return option.substr(std::min(option.find_first_not_of('-'), option.size()));
}

std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  return names;
}

std::vector<std::string> subcommands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

// The option of `command` that a message of CLI11 names, or null.
const CLI::Option* option_in(const std::string& message, const CLI::App& command) {
  const CLI::Option* found = nullptr;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    const std::size_t at = message.find(name), end = at + name.size();
    if (at == std::string::npos ||
        (end < message.size() && std::string(" :,").find(message[end]) == std::string::npos))
      continue;
    if (found == nullptr || name.size() > found->get_name().size()) found = option;
  }
  return found;
}

// What CLI11 says about a value, in the words of this program; `start` is the command.
std::string about_value(const CLI::ParseError& error, const std::string& start, const CLI::App& command) {
  const std::string message = error.what(), kind = error.get_name();
  const std::size_t excludes = message.find(" excludes ");
  if (kind == "ExcludesError" && excludes != std::string::npos)
    return concat(start, ": ", message.substr(0, excludes), " and ", message.substr(excludes + 10),
                  " exclude each other");
  const CLI::Option* option = option_in(message, command);
  if (option == nullptr) return concat(start, ": ", message);
  const std::string name = option->get_name(), type = option->get_type_name();
  const std::vector<std::string>& values = option->results();
  const bool is_whole = type.starts_with("INT") || type.starts_with("UINT");
  if (kind == "ArgumentMismatch" || kind == "ConversionError") {
    if (option->get_items_expected_max() == 0) return concat(start, ": ", name, " takes no value");
    if (values.empty() || values.front().empty()) return concat(start, ": ", name, ": a value is missing");
    if (kind == "ArgumentMismatch")
      return concat(start, ": ", name, ": one value is expected, not ", values.size());
    return concat(start, ": ", name, is_whole ? ": a whole number" : ": a number", " is expected, not ",
                  CLI::detail::join(values, ","));
  }
  const std::size_t range = message.rfind(" not in range ");
  if (kind == "ValidationError" && range != std::string::npos && !values.empty())
    return concat(start, ": ", name, ": ", is_whole ? "a whole number" : "a number", " in the range ",
                  message.substr(range + 14), " is expected, not ", values.back());
  return concat(start, ": ", message);
}

std::string about_option(const ToolApp& app, const CLI::App& command, const std::string& called,
                         const Word& word) {
  const std::string name = without_dashes(word.name);
  const auto setting = [&](Spelling spelling) {
    return app.setting_meant ? app.setting_meant(name, spelling) : "";
  };
  const std::vector<std::string> options = options_of(command);
  const bool misplaced = word.name == "--" + name && &command != static_cast<const CLI::App*>(&app) &&
                         std::find(options.begin(), options.end(), name) != options.end();
  if (misplaced)
    return concat(called, ": --", name, " must follow ", command.get_name(), ": ", called, " --", name,
                  " ...");
  const std::string start = concat(called, ": there is no option ", word.name);
  std::string key = setting(Spelling::kOtherName);
  const std::string option = key.empty() ? nearest_word(name, options) : "";
  if (key.empty() && option.empty()) key = setting(Spelling::kMisspelt);
  if (!key.empty())
    return concat(start, "; a setting is written without dashes: ", key, "=",
                  word.value.empty() ? "VALUE" : word.value);
  return concat(start, option.empty() ? concat("; ", called, " --help lists the options")
                                      : did_you_mean("--" + option));
}

}  // namespace

CLI::Validator one_of(const std::vector<std::string>& words) {
  const auto check = [words](const std::string& word) {
    if (std::find(words.begin(), words.end(), word) != words.end()) return std::string();
    return concat("there is no ", word, ", only ", listed(words, "and"),
                  did_you_mean(nearest_word(word, words)));
  };
  return CLI::Validator(check, "{" + CLI::detail::join(words) + "}");
}

std::string sentence_about(const CLI::ParseError& error, const ToolApp& app) {
  const CLI::App* command = &app;
  std::string called = app.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().back();
    called += " " + command->get_name();
  }
  const std::vector<std::string> subcommands = subcommands_of(*command);
  const std::vector<std::string> unknown = app.remaining(true);
  if (unknown.empty()) {
    if (!subcommands.empty())
      return concat(called, ": a subcommand is expected: ", listed(subcommands, "or"));
    const bool missing = error.get_name() == "RequiredError";
    return missing ? concat(called, ": ", error.what(), "; ", called, " --help lists the options")
                   : about_value(error, called, *command);
  }
  const std::string& first = unknown.front();
  if (!subcommands.empty() && !first.starts_with("-"))
    return concat(called, ": there is no subcommand ", first, ", only ", listed(subcommands, "and"),
                  did_you_mean(nearest_word(first, subcommands)));
  Word word = parted(first);
  if (first.starts_with("-")) {
    const std::vector<std::string>& all =
        app.arguments;  // the value is the next word, unless it is an option
    const auto at = std::find(all.begin(), all.end(), first);
    if (word.value.empty() && at != all.end() && at + 1 != all.end() && !(at + 1)->starts_with("-"))
      word.value = parted(at[1]).value.empty() ? at[1] : "";
    return about_option(app, *command, called, word);
  }
  const std::string option = nearest_word(word.name, options_of(*command));
  return concat(called, ": unexpected word ", first,
                option.empty()
                    ? concat("; ", called, " --help lists the options")
                    : did_you_mean(concat("--", option, word.value.empty() ? "" : " ", word.value)));
}

}  // namespace umbra
