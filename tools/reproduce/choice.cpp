#include "tools/reproduce/choice.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "tools/common/json_file.h"

namespace umbra {

std::vector<std::string> words_between(const std::string& text, char separator) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::vector<double> chi2_of_choices(const std::string& file, std::size_t count, const std::string& row) {
  const auto chi2 = from_json_file(file, "the result of evaluate", [](const nlohmann::ordered_json& json) {
    std::vector<double> of_run;
    for (const auto& model : json.at("models"))
      if (model.contains("run")) of_run.push_back(model.at("chi2").at("mean"));
    return of_run;
  });
  require(chi2.size() == count, file, ": ", chi2.size(), " networks, but the row ", row, " has ", count,
          " choices; delete the file to make it again");
  return chi2;
}

std::string best_choice(const std::vector<std::string>& choices, const std::vector<double>& chi2) {
  return choices[static_cast<std::size_t>(std::min_element(chi2.begin(), chi2.end()) - chi2.begin())];
}

}  // namespace umbra
