#include "tools/learn/page_values.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/nearest.h"
#include "tools/learn/common/figure_parts.h"

namespace umbra::learn {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

template <class Entries, class Name>
const auto& entry(const Entries& entries, const std::string& wanted, const char* what, Name name) {
  std::vector<std::string> names;
  for (const auto& each : entries) {
    if (name(each) == wanted) return each;
    names.push_back(name(each));
  }
  const std::string nearest = nearest_word(wanted, names);
  fail("the run has no ", what, " '", wanted, "'", nearest.empty() ? "" : did_you_mean(nearest));
}

// "{{name[2,-1]:.3f}}" in its parts.
struct Reference {
  std::string name, index, format;
  bool has_index = false;

  explicit Reference(const std::string& text) {
    const std::size_t bracket = text.find('['), colon = text.find(':');
    name = trimmed(text.substr(0, std::min(bracket, colon)));
    if (bracket < colon) {
      const std::size_t close = text.find(']', bracket);
      require(close != std::string::npos, "']' is missing");
      index = text.substr(bracket + 1, close - bracket - 1);
      has_index = true;
      const std::string rest = trimmed(text.substr(close + 1));
      require(rest.empty() || rest[0] == ':', "after ']' only a format such as :.2f may follow");
    }
    if (colon != std::string::npos) format = trimmed(text.substr(colon + 1));
  }
};

std::size_t position(const Recorded& recorded, const std::string& index) {
  const std::size_t count = std::max(recorded.numbers.size(), recorded.words.size());
  std::vector<std::int64_t> shape = recorded.shape;
  if (shape.empty() && !recorded.words.empty()) shape = {static_cast<std::int64_t>(count)};
  std::size_t at = 0, axis = 0;
  for (std::size_t begin = 0; begin <= index.size(); ++axis) {
    const std::size_t end = std::min(index.find(',', begin), index.size());
    const std::string word = trimmed(index.substr(begin, end - begin));
    char* rest = nullptr;
    const long long given = std::strtoll(word.c_str(), &rest, 10);
    require(!word.empty() && *rest == '\0', "the index '", word, "' is not a whole number");
    require(axis < shape.size(), recorded.name, " has ", shape.size(), " axes, fewer than indices");
    const std::int64_t element = given < 0 ? given + shape[axis] : given;
    require(element >= 0 && element < shape[axis], "index ", given, " is outside of axis ", axis, " of ",
            recorded.name, ", which has ", shape[axis], " elements");
    at = at * static_cast<std::size_t>(shape[axis]) + static_cast<std::size_t>(element);
    begin = end + 1;
  }
  require(axis == shape.size(), recorded.name, " needs ", shape.size(), " indices, [i, j, …]");
  return at;
}

// The number as C's printf prints it with the format, ".2f" or "d".
std::string printed(double value, const std::string& format) {
  const std::size_t digits = format.find_first_not_of("+-# 0123456789.");
  require(digits + 1 == format.size() && format.size() <= 8 &&
              std::string("eEfFgGd").find(format.back()) != std::string::npos,
          "the format '", format, "' is not one of printf's for a number, such as .2f");
  char text[400];
  if (format.back() == 'd') {
    require(std::abs(value) < 9e15 && value == std::floor(value), "the format d is for whole numbers, not ",
            value);
    const std::string whole = "%" + format.substr(0, format.size() - 1) + "lld";
    std::snprintf(text, sizeof text, whole.c_str(), static_cast<long long>(value));
  } else {
    std::snprintf(text, sizeof text, ("%" + format).c_str(), value);
  }
  return text;
}

// Where a value is written decides how: code as C's printf prints it, formulas in TeX, and text with the signs of
// print, which a line break does not tear apart.
enum class Place { kText, kFormula, kCode };

std::string in_tex(const std::string& number) {
  if (number == "nan") return "\\text{NaN}";
  if (const std::size_t at = number.find("inf"); at != std::string::npos)
    return number.substr(0, at) + "\\infty";
  const std::size_t e = number.find('e');
  if (e == std::string::npos) return grouped(number, "\\,");
  return number.substr(0, e) + " \\cdot 10^{" + std::to_string(std::atoi(number.c_str() + e + 1)) + "}";
}

std::string value(const std::string& text, const RunRecord& run, Place place) {
  constexpr std::string_view kSetting = "setting ";
  if (text.starts_with(kSetting)) {
    const std::string key = trimmed(text.substr(kSetting.size()));
    return entry(run.settings, key, "setting", [](const SettingValue& each) { return each.key; }).value;
  }
  const Reference reference(text);
  const Recorded& recorded =
      entry(run.recorded, reference.name, "record", [](const Recorded& each) { return each.name; });
  const std::size_t count = std::max(recorded.numbers.size(), recorded.words.size());
  require(reference.has_index || count == 1, recorded.name, " has ", count,
          " elements: write an index, such as ", recorded.name, "[0]");
  const std::size_t at = reference.has_index ? position(recorded, reference.index) : 0;
  if (!recorded.words.empty()) return recorded.words[at];
  const std::string number =
      printed(recorded.numbers[at], reference.format.empty() ? ".4g" : reference.format);
  return place == Place::kCode ? number : place == Place::kFormula ? in_tex(number) : typeset(number);
}

}  // namespace

std::string with_values(const std::string& text, const RunRecord& run, const std::string& page) {
  std::string out;
  int line = 1;
  Place place = Place::kText;
  bool in_fence = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "{{") == 0) {
      const std::size_t end = std::min(text.find("}}", i), text.size());
      const std::string inside = trimmed(text.substr(i + 2, std::max(end, i + 2) - i - 2));
      try {
        require(end < text.size() && inside.find('\n') == std::string::npos, "}} is missing");
        out += value(inside, run, place);
      } catch (const Error& error) {
        fail(page, ":", line, ": {{", inside, "}}: ", error.what());
      }
      i = end + 2;
      continue;
    }
    // $ and $$ begin and end formulas, ` and ``` code; a blank line ends both, except for code between lines of ```.
    const std::size_t mark =
        std::max(std::size_t{1}, std::min(text.find_first_not_of(text[i], i), text.size()) - i);
    const bool fence = text[i] == '`' && mark >= 3, escaped = i > 0 && text[i - 1] == '\\';
    if (text[i] == '`' && place != Place::kFormula && !escaped)
      place = place == Place::kCode ? Place::kText : Place::kCode;
    if (text[i] == '$' && place != Place::kCode && !escaped)
      place = place == Place::kFormula ? Place::kText : Place::kFormula;
    in_fence = fence ? !in_fence : in_fence;
    if (text[i] == '\n' && mark >= 2 && !in_fence) place = Place::kText;
    line += text[i] == '\n' ? static_cast<int>(mark) : 0;
    out.append(text, i, mark);
    i += mark;
  }
  return out;
}

}  // namespace umbra::learn
