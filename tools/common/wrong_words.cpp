#include "tools/common/wrong_words.h"

#include <algorithm>

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

// "fit, search and export"
std::string listed(const std::vector<std::string>& words, const std::string& conjunction) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " " + conjunction + " " : ", ") + words[i];
  return text;
}

std::string meant(const std::string& guess) {
  return guess.empty() ? "" : "; did you mean " + guess + "?";
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
  return concat(start,
                option.empty() ? concat("; ", called, " --help lists the options") : meant("--" + option));
}

}  // namespace

CLI::Validator one_of(const std::vector<std::string>& words) {
  const auto check = [words](const std::string& word) {
    if (std::find(words.begin(), words.end(), word) != words.end()) return std::string();
    return concat("there is no ", word, ", only ", listed(words, "and"), meant(nearest_word(word, words)));
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
    return concat(called, ": ", error.what(),
                  missing ? concat("; ", called, " --help lists the options") : "");
  }
  const std::string& first = unknown.front();
  if (!subcommands.empty() && !first.starts_with("-"))
    return concat(called, ": there is no subcommand ", first, ", only ", listed(subcommands, "and"),
                  meant(nearest_word(first, subcommands)));
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
                option.empty() ? concat("; ", called, " --help lists the options")
                               : meant(concat("--", option, word.value.empty() ? "" : " ", word.value)));
}

}  // namespace umbra
