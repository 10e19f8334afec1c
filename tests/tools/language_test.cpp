// Every comment, message and README is written in plain English: the formulas listed here, each with its replacement,
// appear in no text file of the repository. In C++ and CUDA only comments and string literals are read.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::run;

constexpr char kThisFile[] = "tests/tools/language_test.cpp";
constexpr std::uintmax_t kLargestText = 1 << 22;

/// Words separated by spaces; "is|are" matches either word. Case does not matter, nor where lines are broken.
struct Rule {
  std::vector<const char*> phrases;
  const char* advice;
  std::vector<const char*> unless_followed_by = {};
  const char* allowed_in = "";  // the one file that may say it
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> rules = {
      {{"what cannot run says so"}, "write 'an unsupported configuration throws an Error that explains why'"},
      {{"whoever"}, "write 'the caller' or 'the program that'"},
      {{"takes what fp32 takes"}, "name the problems that are supported"},
      {{"stand|stands|stood|standing"},
       "write 'is', 'is in', 'contains', 'is written' or 'follows'",
       {"for", "in for"}},
      {{"tells"}, "write 'reports', 'says', 'shows' or 'distinguishes'"},
      {{"is|are|was|were|be told"}, "write 'is reported', 'is described' or 'is given'"},
      {{"beforehand"}, "write 'before' or 'in advance'"},
      {{"in words"}, "write 'with the reason' or 'with an error message'", {"of"}},
      {{"by heart"}, "write 'memorises'"},
      {{"own accord"}, "write 'by itself'"},
      {{"have|has|had not run on", "has|have never run on", "never run on", "has run on a gpu"},
       "delete it: bench/README.md lists what has not run on a GPU",
       {},
       "bench/README.md"},
      {{"says so"}, "write what it says"},
      {{"is|are|was|were|be asked for"}, "write 'is requested' or 'is needed'"},
      {{"go|goes|went on"}, "write 'continues'", {"the|a|an|each|every|top|its|one"}},
      {{"one behind the other", "zeros behind",
        "behind the|its|their|a|an last|end|first|point|header|name|version|colon|checkpoint|normalisation|relu|"
        "gate|fence|initialisation|padding",
        "behind the packed data", "behind the|its shared memory"},
       "write 'after' or 'past'"},
      {{"put|puts out"}, "write 'outputs', 'returns' or 'prints'"},
      {{"beside"}, "write 'next to', 'besides', 'alongside' or 'compared with'"},
      {{"but for"}, "write 'except for'"},
      {{"a|an|the|this|its|every|each|own|family's room", "rooms", "room's"},
       "write 'folder' or 'family' (of ops)",
       {"for"}},
      {{"the like"}, "write 'similar' with what it is"},
      {{"is|are due"}, "write what happens when"},
      {{"is|are|be a sentence", "is|are sentences", "are one sentence", "with a|one sentence",
        "with sentences"},
       "write 'throws an Error that names …' or 'with an error message'"},
      {{"know|knows no|nothing"}, "write 'does not refer to', 'is independent of' or 'has no'"},
      {{"anew"}, "write 'again'"},
      {{"that|which is|are|was|were no"}, "write 'is not a' or 'are not'", {"longer|more|less"}},
  };
  return rules;
}

// ---- from a file to its words ----------------------------------------------------------------------------------

constexpr char kBreak = '\x01';  // no phrase continues across this character

/// The text with code replaced by breaks: comments and string literals remain, each line where it was.
std::string without_code(std::string_view text) {
  std::string prose;
  const auto keep = [&](std::size_t begin, std::size_t end) { prose += text.substr(begin, end - begin); };
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    const auto end_of = [&](std::string_view mark) { return std::min(text.find(mark, i + 2), text.size()); };
    if (rest.starts_with("//")) {
      const std::size_t end = end_of("\n");
      keep(std::min(text.find_first_not_of('/', i), end), end);
      i = end;
    } else if (rest.starts_with("/*")) {
      const std::size_t end = end_of("*/");
      keep(i + 2, end);
      i = std::min(end + 2, text.size());
    } else if (rest.starts_with("R\"") && rest.find('(') != std::string_view::npos) {
      const std::size_t open = text.find('(', i);
      const std::size_t end = end_of(")" + std::string(text.substr(i + 2, open - i - 2)) + "\"");
      keep(open + 1, end);
      i = std::min(text.find('"', std::min(end, text.size() - 1)), text.size() - 1) + 1;
    } else if (rest.starts_with('"') || (rest.starts_with('\'') && (i == 0 || !std::isalnum(text[i - 1])))) {
      const char quote = text[i++];
      for (; i < text.size() && text[i] != quote && text[i] != '\n'; ++i) {
        if (text[i] == '\\') {
          prose += ' ';
          ++i;
        } else if (quote == '"') {
          prose += text[i];
        }
      }
      if (i < text.size() && text[i] == quote) ++i;
    } else {
      prose += std::isspace(static_cast<unsigned char>(text[i])) ? text[i] : kBreak;
      ++i;
    }
  }
  return prose;
}

/// The marks at the beginning of a comment's line become spaces, quoted code a break.
std::string without_marks(std::string_view text) {
  std::string prose;
  bool at_start = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '`') {
      const std::size_t end = text.find_first_of("`\n", i + 1);
      if (end != std::string_view::npos && text[end] == '`') i = end;
      prose += kBreak;
    } else {
      prose += (at_start && std::string_view("#/*>").find(c) != std::string_view::npos) || c == '"' ? ' ' : c;
    }
    at_start = c == '\n' || (at_start && prose.back() == ' ');
  }
  return prose;
}

struct Word {
  std::string text;
  int line;
  bool continues;  // only white space, without a blank line, is between the word before and this one
};

std::vector<Word> words_of(const std::string& prose) {
  const auto is_letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  std::vector<Word> words;
  int line = 1, lines_between = 0;
  bool continues = false;
  for (std::size_t i = 0; i < prose.size();) {
    if (is_letter(prose[i])) {
      Word word{"", line, continues && lines_between < 2};
      while (i < prose.size() && (is_letter(prose[i]) || ((prose[i] == '-' || prose[i] == '\'') &&
                                                          i + 1 < prose.size() && is_letter(prose[i + 1]))))
        word.text += static_cast<char>(std::tolower(static_cast<unsigned char>(prose[i++])));
      words.push_back(word);
      continues = true;
      lines_between = 0;
    } else {
      const bool is_newline = prose[i] == '\n';
      line += is_newline;
      lines_between += is_newline;
      continues = continues && std::isspace(static_cast<unsigned char>(prose[i]));
      ++i;
    }
  }
  return words;
}

// ---- from words to complaints ----------------------------------------------------------------------------------

/// How many words from `at` on are the phrase; 0 where they are not.
std::size_t match(const std::vector<Word>& words, std::size_t at, std::string_view phrase) {
  std::size_t count = 0;
  while (!phrase.empty()) {
    const std::string_view step = phrase.substr(0, phrase.find(' '));
    phrase.remove_prefix(std::min(step.size() + 1, phrase.size()));
    const std::size_t i = at + count++;
    if (i >= words.size() || (i > 0 && count > 1 && !words[i].continues)) return 0;
    const std::string choices = "|" + std::string(step) + "|";
    if (choices.find("|" + words[i].text + "|") == std::string::npos) return 0;
  }
  return count;
}

bool is_followed_by(const std::vector<Word>& words, std::size_t at, const std::vector<const char*>& phrases) {
  return at < words.size() && words[at].continues &&
         std::any_of(phrases.begin(), phrases.end(), [&](const char* p) { return match(words, at, p) > 0; });
}

/// One line per formula, "README.md:3: 'stands': write 'is' …".
std::string complaints(const std::string& name, const std::string& text) {
  const std::string extension = fs::path(name).extension();
  const bool is_code = extension == ".h" || extension == ".cpp" || extension == ".cu" ||
                       extension == ".cuh" || extension == ".def";
  const std::vector<Word> words = words_of(without_marks(is_code ? without_code(text) : text));
  std::string found;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const Rule& rule : rules()) {
      for (const char* phrase : rule.phrases) {
        const std::size_t count = match(words, i, phrase);
        if (count == 0 || name == rule.allowed_in ||
            is_followed_by(words, i + count, rule.unless_followed_by))
          continue;
        found += name + ":" + std::to_string(words[i].line) + ": '" + words[i].text;
        for (std::size_t k = 1; k < count; ++k) found += " " + words[i + k].text;
        found += std::string("': ") + rule.advice + "\n";
      }
    }
  }
  return found;
}

/// What git tracks or would; without git, the folder's files except hidden and build folders.
std::vector<std::string> files_of_the_repository() {
  const fs::path root = UMBRA_SOURCE_DIR;
  const auto listed = run("git -C '" + root.string() + "' ls-files --cached --others --exclude-standard");
  std::vector<std::string> names;
  if (listed.status == 0) {
    std::istringstream lines(listed.output);
    for (std::string name; std::getline(lines, name);) {
      if (fs::is_regular_file(root / name)) names.push_back(name);
    }
  }
  if (!names.empty()) return names;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
    const std::string name = entry->path().filename();
    const bool is_generated = name.starts_with(".") || name.starts_with("build") || name == "__pycache__";
    if (entry->is_directory() && is_generated) entry.disable_recursion_pending();
    if (entry->is_regular_file()) names.push_back(fs::relative(entry->path(), root));
  }
  return names;
}

TEST(Language, EveryTextIsPlainEnglish) {
  int read = 0;
  std::string found;
  for (const std::string& name : files_of_the_repository()) {
    const fs::path path = fs::path(UMBRA_SOURCE_DIR) / name;
    if (name == kThisFile || fs::file_size(path) > kLargestText) continue;
    const std::string text = bytes(path);
    if (text.find('\0') != std::string::npos) continue;  // not text
    found += complaints(name, text);
    ++read;
  }
  EXPECT_GT(read, 500);
  EXPECT_TRUE(found.empty()) << std::count(found.begin(), found.end(), '\n') << " places:\n" << found;
}

TEST(Language, FormulasAreFoundAcrossLinesAndQuotes) {
  const std::pair<const char*, const char*> found[] = {
      {"a.h", "int a;  // What it\n        // stands on.\n"},
      {"a.cpp", "/// One of many: goes\n/// on.\n"},
      {"a.cu", "fail(\"a file that \"\n     \"tells nothing\");\n"},
      {"a.cpp", "const char* a = R\"(by\n heart)\";\n"},
      {"a.cpp", "char a = '\"';  // beforehand\n"},
      {"a.py", "# what cannot run\n#   says so\n"},
      {"README.md", "> He learns it **by\n> heart**.\n"},
      {"CMakeLists.txt", "message(STATUS \"Nothing stands here\")\n"},
      {"docs/gpu.md", "It has not run on\na GPU.\n"},
  };
  for (const auto& [name, text] : found) {
    const std::string lines = complaints(name, text);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1 + (lines.find("says so") != std::string::npos))
        << text << lines;
  }
  EXPECT_EQ(complaints("a.md", "\n\nA table\nStands\n"),
            "a.md:4: 'stands': write 'is', 'is in', 'contains', 'is written' or 'follows'\n");
}

TEST(Language, PlainTextAndCodeAreAccepted) {
  const std::pair<const char*, const char*> accepted[] = {
      {"a.h", "const auto tells = beside(stand);\n"},
      {"a.h", "int a;  // a stand-in that stands for b and stands in for c, as is standard\n"},
      {"a.cpp", "f(\"it goes\", a, \" on\");\n"},
      {"a.cpp", "const int a = 1'000;  // it goes\n\n// on and off\n"},
      {"README.md", "`tells` is a variable. It goes. On Monday it is asked, for\n\nonce.\n"},
      {"bench/README.md", "These have not run on a GPU.\n"},
  };
  for (const auto& [name, text] : accepted) EXPECT_EQ(complaints(name, text), "") << text;
}

}  // namespace
}  // namespace umbra
