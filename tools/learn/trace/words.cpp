#include "tools/learn/trace/words.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/nearest.h"

namespace umbra::learn {
namespace {

template <class Number>
bool read_whole(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::int64_t> indices_in(const std::string& text, const std::string& list) {
  std::vector<std::int64_t> indices;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::int64_t index = 0;
    require(read_whole(std::string_view(list).substr(begin, end - begin), index), "'", text,
            "': the index must be whole numbers, such as [3] or [0,2], but it is [", list, "]");
    indices.push_back(index);
    begin = end + 1;
  }
  return indices;
}

}  // namespace

ChangedWeight changed_weight(const std::string& text, const std::vector<Parameter>& parameters) {
  const std::size_t open = text.find('['), close = text.find("]=");
  require(open != std::string::npos && close != std::string::npos && open < close, "'", text,
          "': a weight and its change are written NAME[i]=eps, such as fc1.weight[0,2]=0.01");
  const std::string name = text.substr(0, open);
  std::vector<std::string> names;
  for (const Parameter& p : parameters) names.push_back(p.name);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    const std::string meant = nearest_word(name, names);
    fail("there is no parameter ", name, meant.empty() ? concat("; the first is ", names.front()) : "",
         did_you_mean(meant));
  }
  const Shape& shape = parameters[static_cast<std::size_t>(found - names.begin())].value().shape();
  std::vector<std::int64_t> indices = indices_in(text, text.substr(open + 1, close - open - 1));
  std::int64_t element = 0;
  bool inside = true;
  if (indices.size() == 1) {
    element = indices[0];
    inside = element >= 0 && element < shape.count();
  } else {
    inside = static_cast<int>(indices.size()) == shape.rank();
    for (int axis = 0; inside && axis < shape.rank(); ++axis) {
      const std::int64_t index = indices[static_cast<std::size_t>(axis)];
      inside = index >= 0 && index < shape[axis];
      element = element * shape[axis] + index;
    }
  }
  require(inside, name, " has the shape ", shape, ": there is no element [",
          text.substr(open + 1, close - open - 1), "]");
  double eps = 0;
  const std::string_view number = std::string_view(text).substr(close + 2);
  require(read_whole(number, eps) && std::isfinite(eps) && eps != 0, "'", text,
          "': the change must be a number that is not 0, but it is '", number, "'");
  return {name, element, eps};
}

Command command_of(const std::string& line, std::size_t count) {
  std::string word = lower_case(line);
  std::erase_if(word, [](unsigned char c) { return std::isspace(c) != 0; });
  if (word.empty() || word == "n") return {Command::kNext};
  if (word == "p") return {Command::kPrevious};
  if (word == "d") return {Command::kDetails};
  if (word == "q") return {Command::kQuit};
  Command command{Command::kNumber};
  if (read_whole(word, command.number) && command.number >= 1 && command.number <= count) return command;
  return {Command::kUnknown};
}

}  // namespace umbra::learn
